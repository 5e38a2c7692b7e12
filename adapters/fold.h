// The fold of a call's events: what Chat answers is what StreamChat sent, put together. One per
// call, on its loop; linear in what it is given.
#pragma once

#include <map>
#include <string>

#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

class ChatFold {
 public:
  void Add(v1::ChatEvent&& event);
  // The answer so far; the fold is empty afterwards.
  v1::ChatResponse Take();

 private:
  struct Choice {
    std::map<int, v1::Part> parts;  // by part_index
    v1::Choice rest;
  };

  std::map<int, Choice> choices_;
  v1::ChatResponse response_;
};

}  // namespace mg
