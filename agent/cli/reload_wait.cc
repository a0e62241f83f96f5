#include "agent/cli/reload_wait.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "agent/base/text.h"
#include "agent/cli/table.h"

namespace checkrelay {
namespace {

using Json = nlohmann::json;

constexpr auto kBetweenLines = std::chrono::seconds(5);
// A reload that was just asked for may not have begun: an answer that still speaks of a pending
// change is believed at the third time.
constexpr int kBelieved = 3;

struct Status {
  std::string server{};  // "0" running, "1" reloading, "2" not running, "3" errors, "4" warnings
  bool uptodate = false;
  std::string usually{};  // seconds
  std::string messages{};
};

// Numbers come as texts or as numbers.
std::string scalar(const Json& json, const char* key) {
  auto it = json.find(key);
  if (it == json.end()) return "";
  if (it->is_string()) return plain(it->get<std::string>(), 20);
  return it->is_number() ? it->dump() : "";
}

std::string messages_in(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  std::string out;
  if (json.is_structured())
    for (const auto& item : json) out += (out.empty() ? "" : ": ") + messages_in(item);
  return out;
}

std::optional<Status> status_in(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Status s{scalar(json, "server_status"),
           scalar(json, "configuration_status") == "uptodate",
           scalar(json, "average_duration"),
           {}};
  if (json.contains("messages")) s.messages = plain(messages_in(json["messages"]), 500);
  if (s.server.empty()) return std::nullopt;
  return s;
}

class Waiting {
 public:
  explicit Waiting(const ReloadWait& wait) : wait_(wait) {}

  UpstreamAnswer run() {
    while (true) {
      UpstreamAnswer answer = wait_.ask();
      if (is_over(answer)) return answer;
      wait_.pause();
    }
  }

 private:
  bool is_over(UpstreamAnswer& answer) {
    if (answer.end == "unreachable") return silent(answer);
    silent_since_.reset();
    if (answer.end != "done") return true;
    const auto status = status_in(answer.answer);
    if (!status) {
      answer = {"unreachable", "", "no status of a reload: " + checkrelay::quoted(answer.answer)};
      return true;
    }
    if (status->server == "1") {
      calm_ = 0;
      tell("reloading for " + seconds() + usually(*status));
      return false;
    }
    const bool clear = status->uptodate && status->server != "2";
    if (!clear && ++calm_ < kBelieved) return false;
    conclude(*status, answer);
    return true;
  }

  // The server's web application may itself be away for a moment.
  bool silent(const UpstreamAnswer& answer) {
    if (!silent_since_) silent_since_ = wait_.elapsed();
    if (wait_.elapsed() - *silent_since_ >= kSilence) return true;
    tell("no answer (" + plain(answer.error, 200) + "); asking again");
    return false;
  }

  void conclude(const Status& status, UpstreamAnswer& answer) {
    const std::string words = status.messages.empty() ? "" : ": " + status.messages;
    if (status.server == "2" || status.server == "3") {
      answer = {"refused", "",
                (status.server == "2" ? "Opsview is not running after the reload"
                                      : "the reload has failed, or its configuration has errors") +
                    words};
      return;
    }
    wait_.say("reloaded after " + seconds() + (status.server == "4" ? ", with warnings" : "") +
              (status.uptodate ? "" : "; a change is still pending"));
  }

  void tell(const std::string& line) {
    const Duration now = wait_.elapsed();
    if (told_ && now - *told_ < kBetweenLines) return;
    told_ = now;
    wait_.say(line);
  }

  [[nodiscard]] std::string seconds() const {
    return std::to_string(std::chrono::floor<std::chrono::seconds>(wait_.elapsed()).count()) + " s";
  }
  static std::string usually(const Status& status) {
    return status.usually.empty() ? "" : "; it usually takes about " + status.usually + " s";
  }

  const ReloadWait& wait_;
  int calm_ = 0;  // answers in a row that speak of no reload under way
  std::optional<Duration> told_{};
  std::optional<Duration> silent_since_{};
};

}  // namespace

bool take_wait(std::vector<std::string>& words) {
  if (words.size() < 3 || words[0] != "reload" || words[1] != "start") return false;
  // What follows --changelog is its text, whatever it looks like.
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (words[i] == "--changelog") {
      ++i;
    } else if (words[i] == "--wait") {
      words.erase(words.begin() + static_cast<std::ptrdiff_t>(i));
      return true;
    }
  }
  return false;
}

UpstreamAnswer await_reload(const ReloadWait& wait) { return Waiting(wait).run(); }

}  // namespace checkrelay
