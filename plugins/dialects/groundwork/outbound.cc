#include <algorithm>
#include <map>
#include <set>

#include "plugins/dialects/answer.h"
#include "plugins/dialects/groundwork/asking.h"
#include "plugins/dialects/groundwork/batches.h"
#include "plugins/dialects/groundwork/probing.h"
#include "plugins/dialects/groundwork/session.h"

namespace checkrelay::groundwork {
namespace {

// How often an item that stands alone is sent before it counts as the culprit.
constexpr unsigned kLastTry = 3;
// So many items that fail alone, one after the other, are no culprits: the server is in trouble.
constexpr std::size_t kSick = 3;

// Batch after batch, each judged item by item. Trouble that is nobody's in particular ends the
// conversation: what was not acknowledged shares the verdict.
class Submitting : public Conversation {
 public:
  Submitting(std::shared_ptr<const Settings> settings, std::shared_ptr<Session> session,
             std::span<const CheckResult> results)
      : settings_(std::move(settings)),
        session_(std::move(session)),
        entrance_(*settings_, session_),
        batches_(*settings_, results, settled_) {}

  void start(Instant now, Actions& out) override {
    out.verdicts = std::move(settled_);
    send_next(now, out);
  }

  void receive(Message in, Instant now, Actions& out) override {
    if (over_) return;
    if (entrance_.state() == Entrance::State::asking) {
      entrance_.receive(in, now, out);
      return go_on(now, out);
    }
    if (entrance_.state() != Entrance::State::inside) return give_up(in, now, rule(in), out);
    take(in, now, out);
  }

  void finish(Instant now, Actions& out) override {
    receive(Message::failure(Trouble::dropped, "ended without an answer"), now, out);
    if (over_) return;
    give_up(Message::failure(Trouble::dropped, "ended without an answer"), now, Ruling{}, out);
  }

  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}
  [[nodiscard]] std::optional<Steady> deadline() const override { return entrance_.deadline(); }
  void expire(Instant now, Actions& out) override {
    if (over_ || entrance_.state() != Entrance::State::waiting) return;
    entrance_.expire(now, out);
    go_on(now, out);
  }

 private:
  // With the batch that is the current one, as far as the way in is free.
  void go_on(Instant now, Actions& out) {
    if (entrance_.state() == Entrance::State::refused) return conclude(entrance_.refusal(), out);
    if (entrance_.state() != Entrance::State::inside) return;
    fresh_ = entrance_.logged_in();
    used_ = session_->token();
    if (used_.empty()) return enter(now, out);  // another conversation found it to be no good
    out.send.push_back(signed_request(*settings_, used_, batch_target(*settings_, batches_.hosts()),
                                      batches_.body()));
  }

  void enter(Instant now, Actions& out) {
    entrance_.enter(now, out);
    go_on(now, out);
  }

  void send_next(Instant now, Actions& out) {
    if (!batches_.next()) {
      over_ = out.close = true;
      return;
    }
    const bool same = entrance_.state() == Entrance::State::inside && session_->token() == used_ &&
                      !used_.empty();
    if (!same) return enter(now, out);
    out.send.push_back(signed_request(*settings_, used_, batch_target(*settings_, batches_.hosts()),
                                      batches_.body()));
  }

  void take(const Message& in, Instant now, Actions& out) {
    Ruling ruling = rule(in);
    switch (ruling.kind) {
      case Ruling::Kind::rows:
        return take_rows(ruling.rows, in, now, out);
      case Ruling::Kind::halve:
        return halve(in, ruling, now, out);
      case Ruling::Kind::log_in:
        return log_in_again(in, now, ruling, out);
      case Ruling::Kind::all:
        return give_up(in, now, ruling, out);
    }
  }

  void take_rows(const std::vector<Row>& rows, const Message& in, Instant now, Actions& out) {
    const std::vector<std::string> entities = batches_.entities();
    const auto pairs = pair_rows(entities, rows);
    std::vector<std::size_t> unpaired;
    for (std::size_t place = 0; place < pairs.size(); ++place) {
      if (!pairs[place]) {
        unpaired.push_back(place);
        continue;
      }
      const Row& row = rows[*pairs[place]];
      out.verdicts.push_back({batches_.item(place), judge_row(row), row_words(row), std::nullopt});
    }
    if (unpaired.size() < pairs.size()) proof_of_life();
    if (unpaired.empty()) {
      batches_.settle();
    } else if (entities.size() == 1) {
      return give_up(in, now, Ruling{}, out);
    } else {
      batches_.requeue(unpaired);
    }
    send_next(now, out);
  }

  [[nodiscard]] std::string row_words(const Row& row) const {
    if (row.status == "success" && row.message.empty()) return row.status;
    std::string words = row.status.empty() ? "no status" : row.status;
    if (!row.message.empty()) words += ": " + row.message;
    return without_secrets(words, settings_->login, used_);
  }

  void proof_of_life() {
    taken_ = true;
    fresh_ = denied_ = false;
    blamed_.merge(suspects_);
    suspects_.clear();
  }

  void halve(const Message& in, const Ruling& ruling, Instant now, Actions& out) {
    if (batches_.size() > 1) {
      batches_.halve();
      return send_next(now, out);
    }
    const std::size_t item = batches_.item(0);
    const bool hopeless = ruling.judgement == Judgement::rejected;
    suspects_.insert(item);
    const bool last_try = ++tries_[item] >= kLastTry;
    const bool alone = taken_ && suspects_.size() == 1;
    const bool culprit = last_try && (alone || blamed_.contains(item));
    if ((hopeless && taken_) || culprit) return reject(item, in, now, out);
    const bool no_evidence = !taken_ && (suspects_.size() >= kSick || !batches_.others());
    if (last_try && taken_) return give_up(in, now, Ruling{}, out);
    if (last_try || no_evidence) return give_up(in, now, nobodys(ruling), out);
    batches_.at_the_end();
    send_next(now, out);
  }

  // Where nothing was taken, a server that calls an item unfit may call all of them so.
  static Ruling nobodys(Ruling ruling) {
    if (ruling.judgement == Judgement::rejected) ruling.judgement = Judgement::config;
    return ruling;
  }

  void reject(std::size_t item, const Message& in, Instant now, Actions& out) {
    out.verdicts.push_back(
        {item, Judgement::rejected, words_of(in, settings_->login, used_), std::nullopt});
    suspects_.erase(item);
    batches_.settle();
    send_next(now, out);
  }

  // A 401 says that the token has ended, or that the account may not write: with a token that is
  // fresh it is the latter, and one more login would only wear the server's tokens out.
  void log_in_again(const Message& in, Instant now, const Ruling& ruling, Actions& out) {
    const bool replaced = session_->token() != used_;  // by another conversation, or about to be
    if (denied_ || (fresh_ && !replaced)) {
      give_up(in, now, ruling, out);
      if (!replaced) out.send.push_back(logout_request(*settings_, used_));
      return session_->discard(used_);
    }
    denied_ = true;
    session_->discard(used_);
    enter(now, out);
  }

  void give_up(const Message& in, Instant now, const Ruling& ruling, Actions& out) {
    Verdict verdict{0, ruling.judgement, words_of(in, settings_->login, used_), std::nullopt};
    const bool pauses = ruling.judgement == Judgement::transient ||
                        ruling.judgement == Judgement::auth ||
                        ruling.judgement == Judgement::config;
    if (pauses) verdict.retry_after = retry_after(in, now.wall);
    conclude(verdict, out);
  }

  void conclude(Verdict verdict, Actions& out) {
    for (std::size_t item : batches_.drain()) {
      verdict.item = item;
      out.verdicts.push_back(verdict);
    }
    over_ = out.close = true;
  }

  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<Session> session_;
  std::vector<Verdict> settled_;
  Entrance entrance_;
  Batches batches_;
  Secret used_{};        // the token of the request that is on its way
  bool fresh_ = false;   // it is of a login of ours, and nothing was acknowledged since
  bool denied_ = false;  // a token was refused, and nothing was acknowledged since
  bool taken_ = false;   // something was acknowledged: the server works
  bool over_ = false;
  std::map<std::size_t, unsigned> tries_;  // of items that were sent alone
  std::set<std::size_t> suspects_;         // of these, those that failed since anything was taken
  std::set<std::size_t> blamed_;           // and those that failed before something else was
};

class LoggingOut : public Conversation {
 public:
  explicit LoggingOut(Message request) : request_(std::move(request)) {}
  void start(Instant, Actions& out) override { out.send.push_back(std::move(request_)); }
  // Whatever it says: an unknown token (404) has ended, too.
  void receive(Message, Instant, Actions& out) override { out.close = true; }
  void finish(Instant, Actions& out) override { out.close = true; }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 private:
  Message request_;
};

class GroundWorkOutbound : public Outbound {
 public:
  explicit GroundWorkOutbound(Settings settings)
      : settings_(std::make_shared<const Settings>(std::move(settings))) {}

  std::unique_ptr<Conversation> open(std::span<const CheckResult> batch) override {
    return std::make_unique<Submitting>(settings_, session_, batch);
  }
  std::unique_ptr<Conversation> probe() override { return make_probing(settings_, nullptr); }
  Result<std::unique_ptr<Conversation>> command(std::span<const std::string> words,
                                                std::shared_ptr<CommandReport> report) override {
    if (words.size() == 1 && words[0] == "test") return make_probing(settings_, std::move(report));
    auto command = parse_command(words);
    if (!command) return tl::unexpected(command.error());
    return make_asking(settings_, session_, std::move(*command), std::move(report));
  }
  std::unique_ptr<Conversation> farewell() override {
    const Secret token = session_->token();
    if (token.empty()) return nullptr;
    session_->discard(token);
    return std::make_unique<LoggingOut>(logout_request(*settings_, token));
  }

 private:
  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<Session> session_ = std::make_shared<Session>();
};

}  // namespace

std::unique_ptr<Outbound> make_outbound(Settings settings) {
  return std::make_unique<GroundWorkOutbound>(std::move(settings));
}

}  // namespace checkrelay::groundwork
