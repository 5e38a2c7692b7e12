#include "daemon/provider.h"

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace mg {

Task<absl::StatusOr<std::vector<ListedModel>>> Provider::ListModels(const Ask&, Instant,
                                                                    Cancellation*) const {
  co_return MakeError(ErrorClass::kUnsupportedMethod,
                      absl::StrCat(name(), " has no list of its models that can be asked for"));
}

Task<absl::Status> Provider::Reach(const Ask&, Instant, Cancellation*) const {
  co_return absl::OkStatus();
}

}  // namespace mg
