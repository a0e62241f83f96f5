#include "plugins/transports/none_carrier.h"

#include <utility>
#include <vector>

#include "agent/runtime/loop.h"
#include "plugins/transports/errand.h"

namespace checkrelay {
namespace {

class NoneCarrier : public Carrier {
 public:
  explicit NoneCarrier(Loop& loop) : loop_(loop), self_(std::make_shared<NoneCarrier*>(this)) {}

  void carry(std::unique_ptr<Conversation> conversation,
             std::function<void(std::vector<Verdict>)> done) override {
    waiting_.emplace_back(std::move(conversation), std::move(done));
    loop_.defer([weak = std::weak_ptr(self_)] {
      if (auto self = weak.lock()) (*self)->cancel();
    });
  }
  // With nobody to wait for, to end a conversation is to perform it. A `done` may carry() anew or
  // destroy this.
  void cancel() override {
    const Instant now = loop_.now();
    auto waiting = std::exchange(waiting_, {});
    for (Errand& errand : waiting) errand.end(std::nullopt, now);
  }

 private:
  Loop& loop_;
  std::vector<Errand> waiting_;
  std::shared_ptr<NoneCarrier*> self_;
};

}  // namespace

std::unique_ptr<Carrier> make_none_carrier(Loop& loop) {
  return std::make_unique<NoneCarrier>(loop);
}

}  // namespace checkrelay
