#include "agent/cli/doctor_probe.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "agent/runtime/loop.h"

namespace checkrelay {
namespace {

using Kind = Finding::Kind;

// Any answer at all will do: for dialects that know no better question.
class Reach final : public Conversation {
 public:
  explicit Reach(std::string url) : url_(std::move(url)) {}
  void start(Instant, Actions& out) override { out.send.push_back(Message::request("GET", url_)); }
  void receive(Message in, Instant, Actions& out) override {
    const bool answered = in.kind == Message::Kind::response;
    const auto judgement = answered                     ? Judgement::delivered
                           : in.trouble == Trouble::tls ? Judgement::config
                                                        : Judgement::transient;
    out.verdicts.push_back({0, judgement, answered ? fmt::format("HTTP {}", in.status) : in.what,
                            std::nullopt, false});
    out.close = true;
  }
  void finish(Instant now, Actions& out) override {
    receive(Message::failure(Trouble::dropped, "ended without an answer"), now, out);
  }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 private:
  std::string url_;
};

Finding finding_of(const std::string& name, bool known, const Verdict& v) {
  const std::string about = "destination " + name;
  switch (v.judgement) {
    case Judgement::delivered:
      return {known ? Kind::well : Kind::note,
              about,
              known ? "it answers and takes the credentials (" + v.answer + ")"
                    : "it answers (" + v.answer + "); the credentials were not tried",
              {}};
    case Judgement::auth:
      return {Kind::fault, about, v.answer,
              "see to username and password (or password_file), and to what the user may do there"};
    case Judgement::config:
      return {Kind::fault, about, v.answer,
              "see to url and proxy, and to ca_file, client_cert and client_key where it is TLS"};
    default:
      return {Kind::fault, about, v.answer,
              "see that the server runs, that its name resolves here, and that no firewall is "
              "between; results wait meanwhile"};
  }
}

class Probes {
 public:
  void add(const DestinationConfig& d, const Registry& registry) {
    const Dialect* dialect = registry.dialect(d.type);
    auto outbound = dialect->outbound(d.options);
    const CarrierKind* kind = registry.carrier(dialect->traits()->framing);
    if (!outbound) return fault(d.name, outbound.error().what);
    auto question = (*outbound)->probe();
    const bool known = question != nullptr;
    if (!known && kind->framing == Framing::http && !d.options.text("url").empty())
      question = std::make_unique<Reach>(d.options.text("url"));
    if (!question) return;
    auto carrier = kind->open(d.options, loop_);
    if (!carrier) return fault(d.name, carrier.error().what);
    (*carrier)->carry(std::move(question), [this, name = d.name, known](const auto& verdicts) {
      for (const Verdict& v : verdicts) findings_.push_back(finding_of(name, known, v));
      if (--open_ == 0) loop_.stop();
    });
    ++open_;
    outbounds_.push_back(std::move(*outbound));
    carriers_.push_back(std::move(*carrier));
  }

  std::vector<Finding> run() {
    if (open_ > 0) loop_.run();
    carriers_.clear();
    return std::move(findings_);
  }

 private:
  void fault(const std::string& name, const std::string& what) {
    findings_.push_back(
        {Kind::fault, "destination " + name, what, "see to its section of the configuration"});
  }

  Loop loop_;
  std::vector<Finding> findings_;
  std::vector<std::unique_ptr<Outbound>> outbounds_;
  std::vector<std::unique_ptr<Carrier>> carriers_;
  std::size_t open_ = 0;
};

}  // namespace

std::vector<Finding> examine_destinations(const Config& config, const Registry& registry) {
  Probes probes;
  for (const DestinationConfig& d : config.destinations) probes.add(d, registry);
  return probes.run();
}

}  // namespace checkrelay
