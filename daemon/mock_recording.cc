#include "daemon/mock_recording.h"

#include <utility>
#include <vector>

#include "base/error.h"

namespace mg {
namespace {

class Recorded final : public Answer {
 public:
  Recorded(std::unique_ptr<Answer> answer, MockSessions* sessions, std::string session,
           int64_t call)
      : answer_(std::move(answer)),
        sessions_(sessions),
        session_(std::move(session)),
        call_(call) {}
  ~Recorded() override {
    if (!ended_) End("abandoned", true);
  }

  Task<absl::StatusOr<State>> Next(Instant until, Cancellation* cancellation,
                                   std::vector<v1::ChatEvent>* events) override {
    absl::StatusOr<State> state = co_await answer_->Next(until, cancellation, events);
    if (state.ok()) {
      if (*state == State::kDone) End("ok", false);
    } else if (cancellation != nullptr && cancellation->cancelled()) {
      End(KindName(DetailOf(cancellation->status()).kind()), true);
    } else if (ClassOf(state.status()) != ErrorClass::kBug) {  // a clock of the gateway's
      End(KindName(DetailOf(state.status()).kind()), false);
    }
    co_return state;
  }

  std::unique_ptr<google::protobuf::Message> TakeWhole() override { return answer_->TakeWhole(); }
  std::unique_ptr<Repair> TakeRepair() override { return answer_->TakeRepair(); }
  absl::Status End(std::vector<v1::ChatEvent>* events) override { return answer_->End(events); }
  Task<void> Drain(Instant until) override { co_await answer_->Drain(until); }
  const AskOutcome& outcome() const override { return answer_->outcome(); }

 private:
  void End(absl::string_view outcome, bool cancelled) {
    ended_ = true;
    sessions_->End(session_, call_, outcome, cancelled);
  }

  const std::unique_ptr<Answer> answer_;
  MockSessions* const sessions_;
  const std::string session_;
  const int64_t call_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Answer> NewRecorded(std::unique_ptr<Answer> answer, MockSessions* sessions,
                                    std::string session, int64_t call) {
  return std::make_unique<Recorded>(std::move(answer), sessions, std::move(session), call);
}

}  // namespace mg
