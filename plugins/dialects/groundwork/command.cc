#include "plugins/dialects/groundwork/command.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "agent/base/json.h"
#include "agent/base/percent.h"
#include "agent/base/text.h"

namespace checkrelay::groundwork {
namespace {

using Verb = Command::Verb;

constexpr std::string_view kUsage =
    "test; hosts list [--query Q] [--first N] [--count N] [--depth D]; hosts get NAME; "
    "hosts delete NAME…; hosts rename OLD NEW; hosts complete PREFIX; hosts filter GROUP…";
constexpr std::string_view kMostNames = "1000";  // that are completed; the server's own limit is 10
constexpr long long kMostHosts = 1'000'000'000;

tl::unexpected<Error> wrong(std::string what) {
  return fail(Errc::invalid, std::move(what) + "; there are: " + std::string(kUsage));
}

struct Form {
  std::string_view word{};
  Verb verb = Verb::list;
  std::size_t least = 0, most = 0;  // names
};
constexpr std::size_t kAny = 1000;
constexpr std::array<Form, 6> kForms{{{"list", Verb::list, 0, 0},
                                      {"get", Verb::get, 1, 1},
                                      {"delete", Verb::remove, 1, kAny},
                                      {"rename", Verb::rename, 2, 2},
                                      {"complete", Verb::complete, 1, 1},
                                      {"filter", Verb::filter, 1, kAny}}};

Result<void> check_option(std::string_view name, const std::string& value) {
  constexpr std::array<std::string_view, 5> kDepths{"simple", "shallow", "deep", "sync", "full"};
  if (name == "query") return {};
  if (name == "depth") {
    if (std::find(kDepths.begin(), kDepths.end(), value) != kDepths.end()) return {};
    return wrong("--depth: " + checkrelay::quoted(value) +
                 " is not simple, shallow, deep, sync or full");
  }
  if (name != "first" && name != "count")
    return wrong(checkrelay::quoted("--" + std::string(name)) + " is no option here");
  if (parse_integer(value, 0, kMostHosts)) return {};
  return wrong("--" + std::string(name) + ": " + checkrelay::quoted(value) + " is no number");
}

// The options of a list, as the query of its request.
Result<std::string> take_options(std::span<const std::string> words) {
  std::string query;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with("--"))
      return wrong(checkrelay::quoted(words[i]) + " was not expected");
    std::string name = words[i].substr(2), value;
    if (const std::size_t equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else if (i + 1 < words.size()) {
      value = words[++i];
    } else {
      return wrong(checkrelay::quoted(words[i]) + " wants a value");
    }
    if (auto checked = check_option(name, value); !checked) return tl::unexpected(checked.error());
    query += (query.empty() ? "?" : "&") + name + "=" + percent_encoded(value);
  }
  return query;
}

// A name that is part of a path: dots alone would be steps within it.
Result<void> check_name(Verb verb, const std::string& name) {
  if (verb == Verb::complete && name.empty()) return {};
  if (auto reason = unaddressable(Subject{name, {}})) return fail(Errc::invalid, *reason);
  if (name == "." || name == "..")
    return fail(Errc::invalid, checkrelay::quoted(name) + " is no name");
  return {};
}

Result<void> check_names(const Command& command, const Form& form) {
  const std::size_t n = command.names.size();
  if (n < form.least) return wrong("hosts " + std::string(form.word) + " wants a name");
  if (n > form.most) return wrong(checkrelay::quoted(command.names.back()) + " was not expected");
  for (const std::string& name : command.names)
    if (auto checked = check_name(command.verb, name); !checked) return checked;
  return {};
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ",") + percent_encoded(name);
  return out;
}

// Names that the path's list of them cannot be in doubt about go there; others into a body.
bool is_plain_name(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

constexpr std::size_t kLongestPath = 2000;  // bytes of names

Message delete_request(const std::vector<std::string>& names, Format format) {
  const std::string path = joined(names);
  const bool plain = std::all_of(names.begin(), names.end(), is_plain_name);
  if (plain && path.size() <= kLongestPath) return Message::request("DELETE", "hosts/" + path);
  std::vector<std::string> items;
  for (const std::string& name : names) items.push_back(encode_name(name, format));
  return Message::request(
      "DELETE", "hosts",
      encode_batch(std::vector<std::string_view>(items.begin(), items.end()), true, format));
}

Result<std::string> unreadable(std::string_view what, const std::string& body) {
  return fail(Errc::invalid, "no " + std::string(what) + ": " + checkrelay::quoted(body));
}

using simdjson::dom::element;

// A list that is an object's only member of that name, or stands alone.
std::optional<simdjson::dom::array> list_in(const element& document, std::string_view key) {
  simdjson::dom::array list;
  if (document.get_array().get(list) == simdjson::SUCCESS) return list;
  if (document.at_key(key).get_array().get(list) == simdjson::SUCCESS) return list;
  return std::nullopt;
}

std::optional<std::string_view> name_in(const element& item) {
  std::string_view name;
  if (item.get_string().get(name) == simdjson::SUCCESS) return name;
  for (std::string_view key : {"name", "canonicalName"})
    if (item.at_key(key).get_string().get(name) == simdjson::SUCCESS) return name;
  return std::nullopt;
}

Result<std::string> read_names(const simdjson::dom::array& list, const std::string& body) {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (const element& item : list) {
    auto name = name_in(item);
    if (!name) return unreadable("list of names", body);
    json.text(*name);
  }
  json.end_array();
  return out;
}

Result<std::string> read_json(const Command& command, const std::string& body) {
  simdjson::dom::parser parser;
  element document;
  if (parser.parse(body).get(document) != simdjson::SUCCESS) return unreadable("JSON", body);
  const bool one = command.verb == Verb::get || command.verb == Verb::rename;
  if (one) {
    if (!document.is_object()) return unreadable("host", body);
    return std::string(simdjson::minify(document));
  }
  const bool names = command.verb == Verb::complete;
  auto list = list_in(document, names ? "names" : "hosts");
  if (!list) return unreadable(names ? "list of names" : "list of hosts", body);
  return names ? read_names(*list, body) : std::string(simdjson::minify(*list));
}

// One line for each host that is still there.
std::string complaints_of(const std::vector<Row>& rows) {
  std::string out;
  for (const Row& row : rows) {
    if (row.status == "success") continue;
    out += (out.empty() ? "" : "; ") + row.entity + ": " +
           (row.message.empty() ? row.status : row.message);
  }
  return out;
}

Result<std::string> read_deletions(const Command& command, const std::string& body,
                                   std::string_view content_type) {
  auto rows = read_results(body, content_type);
  if (!rows) return unreadable("results document", body);
  const std::string complaints = complaints_of(*rows);
  if (!complaints.empty()) return fail(Errc::refused, complaints);
  if (rows->size() < command.names.size())
    return fail(Errc::refused, "the server speaks of " + std::to_string(rows->size()) + " of " +
                                   std::to_string(command.names.size()) + " hosts");
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (Row& row : *rows) {
    make_valid_utf8(row.entity);  // XML may bring anything
    json.begin_object().key("entity").text(row.entity).key("status").text(row.status).end_object();
  }
  json.end_array();
  return out;
}

}  // namespace

Result<Command> parse_command(std::span<const std::string> words) {
  if (words.size() < 2 || words[0] != "hosts") return wrong("there is no such command");
  const auto* form =
      std::find_if(kForms.begin(), kForms.end(), [&](const Form& f) { return f.word == words[1]; });
  if (form == kForms.end())
    return wrong(checkrelay::quoted("hosts " + words[1]) + " is no command");
  Command command;
  command.verb = form->verb;
  words = words.subspan(2);
  if (command.verb == Verb::list) {
    auto options = take_options(words);
    if (!options) return tl::unexpected(options.error());
    command.options = std::move(*options);
    return command;
  }
  command.names.assign(words.begin(), words.end());
  if (auto checked = check_names(command, *form); !checked) return tl::unexpected(checked.error());
  return command;
}

Message command_request(const Command& command, Format format, std::size_t attempt) {
  const auto& names = command.names;
  switch (command.verb) {
    case Verb::list:
      return Message::request("GET", "hosts" + command.options);
    case Verb::get:
      return Message::request("GET", "hosts/" + percent_encoded(names[0]));
    case Verb::remove:
      return delete_request(names, format);
    case Verb::rename:
      return Message::request("PUT", "hosts/rename?oldHostName=" + percent_encoded(names[0]) +
                                         "&newHostName=" + percent_encoded(names[1]));
    case Verb::complete:
      return Message::request("GET", "hosts/autocomplete/" +
                                         (names[0].empty() ? "*" : percent_encoded(names[0])) +
                                         "?limit=" + std::string(kMostNames));
    case Verb::filter:
      break;
  }
  return Message::request("GET",
                          std::string(attempt == 0 ? "hosts/filter" : "hosts/filter/hostgroups") +
                              "?hostGroupNames=" + joined(names));
}

std::size_t attempts_of(const Command& command) { return command.verb == Verb::filter ? 2 : 1; }

Result<std::string> read_answer(const Command& command, const std::string& body,
                                std::string_view content_type) {
  if (command.verb == Verb::remove) return read_deletions(command, body, content_type);
  return read_json(command, body);
}

std::optional<std::string> nothing_found(const Command& command) {
  const bool named =
      command.verb == Verb::get || command.verb == Verb::rename || command.verb == Verb::remove;
  if (named) return std::nullopt;
  return "[]";
}

}  // namespace checkrelay::groundwork
