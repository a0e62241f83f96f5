#include "agent/cli/upstream.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "agent/base/percent.h"
#include "agent/base/text.h"
#include "agent/cli/reload_wait.h"
#include "agent/cli/table.h"
#include "agent/policy/window.h"

namespace checkrelay {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kCell = 48;  // characters
constexpr std::size_t kLine = 1000;
constexpr Duration kUpstreamWait = std::chrono::minutes(2);
constexpr auto kReplace = Json::error_handler_t::replace;

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::string epoch(const std::string& text, const Zone& zone, Edge edge) {
  auto t = parse_outage_time(text, zone, edge);
  if (!t) return text;
  return std::to_string(std::chrono::floor<std::chrono::seconds>(t->time_since_epoch()) /
                        std::chrono::seconds(1));
}

// A text as it is, a list of such with commas, all else as JSON.
std::string cell(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.size() == 1 && value.contains("name")) return cell(value["name"]);
  if (!value.is_array()) return value.dump(-1, ' ', false, kReplace);
  std::string out;
  for (const Json& item : value) out += (out.empty() ? "" : ", ") + cell(item);
  return out;
}

// Objects within a row are for machines.
bool is_column(const Json& value) { return !value.is_object() || value.contains("name"); }

std::vector<std::string> keys_of(const Json& list) {
  std::vector<std::string> keys;
  for (const Json& row : list)
    for (const auto& [key, value] : row.items())
      if (is_column(value) && std::find(keys.begin(), keys.end(), key) == keys.end())
        keys.push_back(key);
  return keys;
}

std::string table_of(const Json& list) {
  const std::vector<std::string> keys = keys_of(list);
  Table table(keys);
  for (const Json& row : list) {
    std::vector<std::string> cells;
    for (const std::string& key : keys)
      cells.push_back(row.contains(key) ? plain(cell(row[key]), kCell) : "");
    table.add(std::move(cells));
  }
  return table.text();
}

bool is_list_of(const Json& json, bool (*is)(const Json&)) {
  return json.is_array() && std::all_of(json.begin(), json.end(), is);
}

std::string lines_of(const Json& list) {
  std::string out;
  for (const Json& text : list) out += plain(text.get<std::string>(), kLine) + "\n";
  return out;
}

std::string text_in(const Json& json, const char* key) {
  return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
}

// An agent that is there answers this at once; what it asks its upstream may take a few timeouts.
std::optional<std::string> ask_through(const Office& office, const Arguments& arguments,
                                       const std::string& target, const std::string& body,
                                       int& status) {
  if (!office.ask(arguments, "GET", "/healthz", "", status)) return std::nullopt;
  return office.ask(arguments, "POST", target, body, status, kUpstreamWait);
}

// What the agent passes on; an empty `end` where it passes nothing on: `status` then says why.
struct Asking {
  const Office& office;
  const Arguments& arguments;
  int& status;

  UpstreamAnswer operator()(const std::vector<std::string>& words) const {
    std::string body;
    for (const std::string& word : words)
      body += (word.empty() ? "%" : percent_encoded(word)) + "\n";
    const std::string target = "/v1/upstream/" + percent_encoded(arguments.rest[0]);
    auto answer = ask_through(office, arguments, target, body, status);
    if (!answer) return {};
    auto read = read_upstream_answer(*answer);
    if (read) return *read;
    status = complain(read.error().what, kExitNo);
    return {};
  }
};

// A command of one person's at a terminal, with nothing else to do meanwhile: it may sleep.
UpstreamAnswer see_reload_through(const Asking& ask) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  return await_reload({[&] {
                         return ask({"reload", "status"});
                       },
                       [] { std::this_thread::sleep_for(std::chrono::seconds(1)); },
                       [&] { return std::chrono::duration_cast<Duration>(Clock::now() - begin); },
                       [](const std::string& line) { complain(line, 0); }});
}

int tell(const UpstreamAnswer& answer, bool json) {
  if (!answer.answer.empty()) {
    auto view = json ? answer.answer + "\n" : upstream_view(answer.answer);
    if (!view) return complain(view.error().what, kExitNo);
    print(*view);
  }
  if (answer.end == "done") return kExitOk;
  return complain(answer.error, answer.end == "refused" ? kExitNo : kExitAway);
}

}  // namespace

std::vector<std::string> with_epochs(std::vector<std::string> words, const Zone& zone) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const std::string name : {"--start", "--end"}) {
      const Edge edge = name == "--end" ? Edge::end : Edge::start;
      if (words[i].starts_with(name + "=")) {
        words[i] = name + "=" + epoch(words[i].substr(name.size() + 1), zone, edge);
      } else if (words[i] == name && i + 1 < words.size()) {
        ++i;
        words[i] = epoch(words[i], zone, edge);
        break;
      }
    }
  }
  return words;
}

Result<std::string> upstream_view(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return fail(Errc::invalid, "no JSON: " + checkrelay::quoted(text));
  if (json.is_array() && json.empty()) return "none\n";
  if (is_list_of(json, [](const Json& row) { return row.is_object(); })) return table_of(json);
  if (is_list_of(json, [](const Json& row) { return row.is_string(); })) return lines_of(json);
  if (!json.is_object()) return plain(cell(json), kLine) + "\n";
  std::string out;
  for (const auto& [key, value] : json.items())
    out += key + ": " + plain(cell(value), kLine) + "\n";
  return out;
}

Result<UpstreamAnswer> read_upstream_answer(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || text_in(json, "end").empty())
    return fail(Errc::invalid, "the agent's answer is not understood: " + checkrelay::quoted(text));
  UpstreamAnswer out{text_in(json, "end"), "", text_in(json, "error")};
  if (json.contains("answer")) out.answer = json["answer"].dump(-1, ' ', false, kReplace);
  return out;
}

int upstream_command(const Office& office, const Arguments& arguments) {
  if (arguments.rest.size() < 2 || arguments.rest[0].empty()) {
    std::fprintf(stderr,
                 "checkrelay upstream: NAME and what to ask are wanted\n"
                 "Try 'checkrelay upstream --help'.\n");
    return kExitUsage;
  }
  auto zone = Zone::find("");
  auto words =
      with_epochs({arguments.rest.begin() + 1, arguments.rest.end()}, zone ? *zone : Zone());
  const bool wait = take_wait(words);
  int status = kExitOk;
  const Asking ask{office, arguments, status};
  UpstreamAnswer answer = ask(words);
  if (wait && answer.end == "done") answer = see_reload_through(ask);
  return answer.end.empty() ? status : tell(answer, arguments.has("json"));
}

}  // namespace checkrelay
