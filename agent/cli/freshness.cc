#include "agent/cli/freshness.h"

#include <fmt/format.h>

#include <cstdio>

#include "agent/base/percent.h"
#include "agent/base/text.h"
#include "agent/cli/cli.h"
#include "agent/cli/client.h"
#include "agent/cli/freshness_views.h"
#include "agent/cli/table.h"

namespace checkrelay {
namespace {

constexpr Duration kPatience = std::chrono::seconds(10);
constexpr std::size_t kTableRows = 1'000;  // that people see without asking for more

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

// Calls `take` with page after page of the subjects (of one state, where one is named), until it
// has had enough.
template <typename Take>
int every_page(const Office& office, const Arguments& arguments, const std::string& state,
               Take take) {
  Arguments asked = arguments;
  if (!state.empty()) asked.values["state"] = state;
  for (;;) {
    int status = kExitOk;
    const std::string query = query_of(asked, {"state", "host", "service", "after"});
    auto body = office.ask(asked, "GET", "/v1/freshness" + query, "", status);
    if (!body) return status;
    auto page = freshness_page(*body);
    if (!page) return complain(page.error().what, kExitNo);
    const bool more = !page->next.empty();
    asked.values["after"] = page->next;
    if (!take(std::move(*page)) || !more) return kExitOk;
  }
}

int list_json(const Office& office, const Arguments& arguments) {
  const char* before = "[";
  const std::string state = arguments.has("overdue") ? "overdue" : "";
  const int status = every_page(office, arguments, state, [&](const FreshnessPage& page) {
    for (const std::string& row : page.json) {
      print(before + row);
      before = ",\n ";
    }
    return true;
  });
  if (*before != '[') print("]\n");  // what had come is whole, although the rest did not
  if (*before == '[' && status == kExitOk) print("[]\n");
  return status;
}

int list_table(const Office& office, const Arguments& arguments) {
  std::vector<std::vector<std::string>> rows;
  for (const char* state : {"overdue", "in_outage", "unseen", "ok"}) {  // what is urgent first
    const int status = every_page(office, arguments, state, [&](FreshnessPage page) {
      std::move(page.rows.begin(), page.rows.end(), std::back_inserter(rows));
      return rows.size() <= kTableRows;
    });
    if (status != kExitOk) return status;
    if (arguments.has("overdue") || rows.size() > kTableRows) break;
  }
  const bool cut = rows.size() > kTableRows;
  if (rows.empty()) {
    print(arguments.has("overdue") ? "nothing is overdue\n" : "nothing has promised to report\n");
  } else {
    print(freshness_table(std::move(rows), kTableRows));
  }
  if (cut) print("There are more: choose by --overdue, --host or --service, or take --json\n");
  return kExitOk;
}

// Those that have promised already, of an agent that answers.
int leave_out_promised(const Office& office, const Arguments& arguments, Cadence& cadence) {
  const std::string socket = look_around(arguments).socket;
  auto there = ask_agent(socket, "GET", "/v1/freshness?limit=1", "", kPatience);
  if (!there && there.error().code == Errc::unavailable) return kExitOk;
  return every_page(office, arguments, "", [&](FreshnessPage page) {
    for (Subject& subject : page.subjects) cadence.leave_out(std::move(subject));
    return true;
  });
}

std::string subject_query(const Arguments& arguments) {
  return fmt::format("?host={}&service={}", percent_encoded(arguments.text("host")),
                     percent_encoded(arguments.text("service")));
}

}  // namespace

int freshness_list_command(const Office& office, const Arguments& arguments) {
  return arguments.has("json") ? list_json(office, arguments) : list_table(office, arguments);
}

int freshness_show_command(const Office& office, const Arguments& arguments) {
  if (!arguments.has("host")) return usage_error("freshness show", "--host is wanted");
  int status = kExitOk;
  auto body =
      office.ask(arguments, "GET", "/v1/freshness/subject" + subject_query(arguments), "", status);
  if (!body) return status;
  auto view = freshness_view(*body);
  if (!view) return complain(view.error().what, kExitNo);
  print(arguments.has("json") ? *body : *view);
  return kExitOk;
}

int freshness_suggest_command(const Office& office, const Arguments& arguments) {
  Cadence cadence;
  Arguments asked = arguments;
  asked.values["limit"] = "5000";
  for (std::string next = "0"; !next.empty();) {
    asked.values["after"] = next;
    int status = kExitOk;
    auto body = office.ask(asked, "GET",
                           "/v1/queue" + query_of(asked, {"host", "service", "limit", "after"}), "",
                           status, std::chrono::minutes(1));
    if (!body) return status;
    auto more = add_results(*body, cadence);
    if (!more) return complain(more.error().what, kExitNo);
    next = *more;
  }
  Arguments all = arguments;  // an entry for every host is one for those that are not asked for too
  all.values.erase("host");
  all.values.erase("service");
  if (const int status = leave_out_promised(office, all, cadence); status != kExitOk) return status;
  const auto suggestions = cadence.suggest();
  if (arguments.has("json")) {
    print(suggestions_json(suggestions));
  } else if (suggestions.empty()) {
    print(fmt::format("no rhythm yet: results of {} subjects are known, four of each are needed\n",
                      cadence.subjects()));
  } else {
    print(suggestions_toml(suggestions));
  }
  return kExitOk;
}

int freshness_forget_command(const Office& office, const Arguments& arguments) {
  if (!arguments.has("host")) return usage_error("freshness forget", "--host is wanted");
  int status = kExitOk;
  auto body =
      office.ask(arguments, "POST", "/v1/freshness/forget" + subject_query(arguments), "", status);
  if (!body) return status;
  const Subject subject{arguments.text("host"), arguments.text("service")};
  print(plain(to_string(subject), 600) +
        (is_expected(*body) ? " is forgotten, and awaited anew: an entry expects it\n"
                            : " is forgotten until it reports again\n"));
  return kExitOk;
}

}  // namespace checkrelay
