// The lists of models that providers keep: where their pages are and how they read. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/http_message.h"

namespace mg {

// How one provider writes its list (spec/providers.md §2.6, 4.8, 6.6, 7).
struct ModelListShape {
  absl::string_view path;            // beneath the base URL, with what asks for large pages
  absl::string_view page_parameter;  // of the query: where the next page begins; empty: one page
  absl::string_view items;           // the member with the list; a bare list is taken as well
  absl::string_view id;              // of an item: the name that a request would use
  absl::string_view id_prefix;       // which requests do not have
  absl::string_view next;            // the member that names the next page
  absl::string_view more;  // the member that says whether there is one; empty: `next` does
};

struct ModelPage {
  std::vector<std::string> ids;
  std::string next;  // empty: it was the last
};

// `page`: ModelPage::next of the page before; empty: the first.
HttpRequest EncodeModelList(const ModelListShape& shape, absl::string_view page);
// INVALID_ARGUMENT (plain) where `body` holds no list. Items without a usable id are passed over.
absl::Status DecodeModelList(const ModelListShape& shape, absl::string_view body, ModelPage* page);

}  // namespace mg
