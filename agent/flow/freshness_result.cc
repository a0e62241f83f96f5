#include "agent/flow/freshness_result.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/config/freshness.h"
#include "agent/policy/freshness_text.h"

namespace checkrelay {
namespace {

using Kind = FreshnessNews::Kind;

constexpr std::string_view kState = "CRITICAL";
constexpr std::string_view kOutput = "no result since {last}";

// A promise of a result alone has no entry that could name a zone.
Promise promise_of(const FreshnessNews& news, const std::vector<FreshnessEntry>& entries) {
  if (news.entry < entries.size()) return entries[news.entry].promise;
  Promise bare;
  bare.zone = own_zone();
  return bare;
}

std::string subject_output(const FreshnessNews& news, const std::string& text,
                           const Promise& promise, Wall now) {
  if (news.kind == Kind::run_too_long) {
    const std::string began = at_words(news.due - promise.run_limit, promise.zone, now);
    return fmt::format("a run that began {} has not ended within {}", began,
                       format_duration(promise.run_limit));
  }
  const bool never = news.last == Wall{} && text == kOutput;
  return fill_output(never ? "no result yet, due {due}" : text, news, promise, now);
}

void fill_subject(CheckResult& r, const FreshnessNews& news,
                  const std::vector<FreshnessConfig>& configs,
                  const std::vector<FreshnessEntry>& entries, Wall now) {
  const Options* options = news.entry < configs.size() ? &configs[news.entry].options : nullptr;
  const std::string state = options ? options->text("state") : std::string(kState);
  const std::string output = options ? options->text("output") : std::string(kOutput);
  r.subject = news.record.subject;
  r.state = overdue_state(state, r.subject.is_host());
  r.output = subject_output(news, output, promise_of(news, entries), now);
}

void fill_group(CheckResult& r, const FreshnessNews& news,
                const std::vector<FreshnessConfig>& configs,
                const std::vector<FreshnessEntry>& entries, const std::string& hostname, Wall now) {
  r.subject = {hostname, news.group.name};
  if (news.kind == Kind::group_heard) {
    r.output = fmt::format("{} is heard again", news.group.name);
    return;
  }
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](const FreshnessEntry& e) {
    return e.group == news.group.name;
  });
  const bool known = entry != entries.end();
  const auto index = static_cast<std::size_t>(entry - entries.begin());
  r.state = overdue_state(known ? configs[index].options.text("state") : kState, false);
  r.output = fmt::format(
      "{} is silent: nothing of it since {}, {} of its subjects are late", news.group.name,
      at_words(news.last, known ? entry->promise.zone : own_zone(), now), news.late);
}

}  // namespace

CheckResult result_of(const FreshnessNews& news, const std::vector<FreshnessConfig>& configs,
                      const std::vector<FreshnessEntry>& entries, const std::string& hostname,
                      Wall now) {
  CheckResult r;
  if (news.group.name.empty()) {
    fill_subject(r, news, configs, entries, now);
  } else {
    fill_group(r, news, configs, entries, hostname, now);
  }
  r.time = now;
  r.check_source = fmt::format("{} at {}", kFreshnessSource, hostname);
  return r;
}

}  // namespace checkrelay
