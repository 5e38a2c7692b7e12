// Configuration files of a running daemon, changed in the ways in which people and programs change
// them.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "base/check.h"
#include "gtest/gtest.h"

namespace mg::e2e {

// A folder of the test's own, with all that comes into it.
class Folder {
 public:
  Folder() : path_(::testing::TempDir() + "mg-files-XXXXXX") {
    MG_CHECK(mkdtemp(path_.data()) != nullptr, "no temporary folder");
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// In place, as `>` of a shell does it.
inline void Overwrite(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  MG_CHECK(fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
           "a file of the test cannot be written");
  close(fd);
}

// By a rename of another file, as editors do it.
inline void Replace(const std::string& path, const std::string& text) {
  Overwrite(path + ".new", text);
  MG_CHECK(std::rename((path + ".new").c_str(), path.c_str()) == 0, "no rename");
}

// A folder as Kubernetes mounts a ConfigMap or Secret: NAME → ..data/NAME, ..data → ..VERSION, and
// each version is a folder that comes whole, by the swap of one link.
class Mount {
 public:
  Mount(std::string folder, std::string name, const std::string& text)
      : folder_(std::move(folder)), name_(std::move(name)) {
    MG_CHECK(mkdir(folder_.c_str(), 0700) == 0, "no folder");
    Put(text);
    MG_CHECK(symlink(("..data/" + name_).c_str(), path().c_str()) == 0, "no link");
  }

  std::string path() const { return folder_ + "/" + name_; }

  void Put(const std::string& text) {
    const std::string old = version_ == 0 ? "" : Version();
    ++version_;
    MG_CHECK(mkdir(Version().c_str(), 0700) == 0, "no folder");
    Overwrite(Version() + "/" + name_, text);
    const std::string link = folder_ + "/..data_tmp";
    MG_CHECK(symlink(("..v" + std::to_string(version_)).c_str(), link.c_str()) == 0, "no link");
    MG_CHECK(std::rename(link.c_str(), (folder_ + "/..data").c_str()) == 0, "no rename");
    if (old.empty()) return;
    unlink((old + "/" + name_).c_str());
    rmdir(old.c_str());
  }

 private:
  std::string Version() const { return folder_ + "/..v" + std::to_string(version_); }

  const std::string folder_;
  const std::string name_;
  int version_ = 0;
};

}  // namespace mg::e2e
