#include "agent/cli/operate.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "agent/base/percent.h"
#include "agent/base/text.h"
#include "agent/cli/carry.h"
#include "agent/cli/freshness.h"
#include "agent/cli/office.h"
#include "agent/cli/send.h"
#include "agent/cli/upstream.h"
#include "agent/cli/views.h"

namespace checkrelay {
namespace {

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int status_command(const Office& office, const Arguments& arguments) {
  int status = kExitOk;
  auto body = office.ask(arguments, "GET", "/v1/status", "", status);
  if (!body) return status;
  auto view = status_view(*body);
  if (!view) return complain(view.error().what, kExitNo);
  print(arguments.has("json") ? *body : view->text);
  return view->well ? kExitOk : kExitNo;
}

int list_command(const Office& office, const Arguments& arguments) {
  for (const char* name : {"limit", "after"}) {
    long long low = std::string_view(name) == "limit" ? 1 : 0;
    if (arguments.has(name) && !parse_integer(arguments.text(name), low, INT64_MAX)) {
      return usage_error("queue list", fmt::format("--{}: {} is not a number from {} up", name,
                                                   quoted(arguments.text(name)), low));
    }
  }
  Arguments asked = arguments;
  if (!asked.has("limit")) asked.values["limit"] = "50";
  for (;;) {
    int status = kExitOk;
    auto query = query_of(asked, {"state", "destination", "host", "service", "limit", "after"});
    auto body = office.ask(asked, "GET", "/v1/queue" + query, "", status);
    if (!body) return status;
    auto view = queue_list_view(*body);
    if (!view) return complain(view.error().what, kExitNo);
    // People see the first page that has something on it.
    bool go_on = view->rows == 0 && !view->next.empty() && !arguments.has("json");
    if (!go_on) {
      print(arguments.has("json") ? *body : view->text);
      return kExitOk;
    }
    asked.values["after"] = view->next;
  }
}

int show_command(const Office& office, const Arguments& arguments) {
  if (arguments.rest.size() != 1) return usage_error("queue show", "one ID is wanted");
  int status = kExitOk;
  auto body =
      office.ask(arguments, "GET", "/v1/queue/" + percent_encoded(arguments.rest[0]), "", status);
  if (!body) return status;
  auto view = queue_story_view(*body);
  if (!view) return complain(view.error().what, kExitNo);
  print(arguments.has("json") ? *body : *view);
  return kExitOk;
}

int change_command(const Office& office, const Arguments& arguments, const std::string& verb,
                   const char* done) {
  if (verb == "drop" && arguments.rest.empty()) {
    return usage_error("queue drop", "at least one ID is wanted");
  }
  std::string ids;
  for (const std::string& id : arguments.rest) {
    if (id.empty() || id.find('\n') != id.npos) {
      return usage_error("queue " + verb, quoted(id) + " is no ID");
    }
    ids += id + "\n";
  }
  int status = kExitOk;
  auto body = office.ask(arguments, "POST",
                         "/v1/queue/" + verb + query_of(arguments, {"destination"}), ids, status);
  if (!body) return status;
  auto changed = number_in(*body, "changed");
  if (!changed) return complain(changed.error().what, kExitNo);
  if (*changed == 0 && !ids.empty()) {
    return complain(verb == "drop" ? "no such result is waiting"
                                   : "no such result is dead (what waits is offered by itself)",
                    kExitNo);
  }
  print(fmt::format("{} {}\n", *changed, done));
  if (auto dead = number_in(*body, "dead"); dead && *dead > 0)
    print(fmt::format("{} are still dead: retry again once these are through\n", *dead));
  return kExitOk;
}

int pause_command(const Office& office, const Arguments& arguments, const std::string& verb) {
  if (arguments.rest.size() != 1) return usage_error("queue " + verb, "one NAME is wanted");
  const std::string& name = arguments.rest[0];
  int status = kExitOk;
  auto body = office.ask(arguments, "POST",
                         fmt::format("/v1/queue/{}?destination={}", verb, percent_encoded(name)),
                         "", status);
  if (!body) return status;
  auto view = pause_view(*body, name);
  if (!view) return complain(view.error().what, kExitNo);
  print(*view);
  return kExitOk;
}

}  // namespace

Handlers client_handlers(Tools tools) {
  auto office = std::make_shared<const Office>(std::move(tools.stopped));
  auto with = [office](int (*command)(const Office&, const Arguments&)) {
    return [office, command](const Arguments& a) { return command(*office, a); };
  };
  auto change = [office](const char* verb, const char* done) {
    return [=](const Arguments& a) { return change_command(*office, a, verb, done); };
  };
  auto pause = [office](const char* verb) {
    return [=](const Arguments& a) { return pause_command(*office, a, verb); };
  };
  return {{"send", send_command},
          {"status", with(status_command)},
          {"queue list", with(list_command)},
          {"queue show", with(show_command)},
          {"queue retry", change("retry", "offered again")},
          {"queue drop", change("drop", "dropped")},
          {"freshness list", with(freshness_list_command)},
          {"freshness show", with(freshness_show_command)},
          {"freshness suggest", with(freshness_suggest_command)},
          {"freshness forget", with(freshness_forget_command)},
          {"upstream", with(upstream_command)},
          {"queue pause", pause("pause")},
          {"queue resume", pause("resume")},
          {"queue export",
           [=](const Arguments& a) { return export_command(*office, tools.bundles, a); }},
          {"queue import", [=](const Arguments& a) { return import_command(tools.bundles, a); }}};
}

int check_command(const Arguments& arguments, const Registry& registry) {
  if (arguments.has("defaults")) {
    print(default_config(registry));
    return kExitOk;
  }
  std::string file = config_file(arguments);
  Loaded loaded = load_config(file, registry);
  for (const auto* faults : {&loaded.faults, &loaded.warnings})
    for (const Fault& fault : *faults) std::fprintf(stderr, "%s\n", to_string(fault).c_str());
  if (!loaded.faults.empty() || !loaded.warnings.empty()) return kExitNo;
  print(file + ": valid\n");
  return kExitOk;
}

}  // namespace checkrelay
