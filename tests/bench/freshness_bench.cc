// The freshness engine by itself, with a million subjects, for whoever works on it.
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/policy/freshness.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kSubjects = 1'000'000;
constexpr std::size_t kStep = 1000;  // pieces of work in a turn

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

std::size_t allocated() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// A hundred a host; due times are spread so that 10,000 share a second.
std::vector<FreshnessRecord> records(Second now) {
  std::vector<FreshnessRecord> all(kSubjects);
  for (int i = 0; i < kSubjects; ++i) {
    FreshnessRecord& r = all[static_cast<std::size_t>(i)];
    r.subject = {fmt::format("host{:05}", i / 100), fmt::format("svc{:02}", i % 100)};
    r.standing.seen = r.standing.base = r.standing.heard = now - static_cast<Second>(i / 10000);
    r.standing.reported = true;
  }
  return all;
}

double longest_turn(Freshness& engine, Instant now, std::vector<FreshnessNews>& news) {
  double longest = 0;
  for (bool more = true; more;) {
    const auto begin = Clock::now();
    news.clear();
    more = engine.step(now, kStep, {}, news);
    longest = std::max(longest, ms_since(begin));
  }
  return longest;
}

void measure() {
  FreshnessEntry entry;
  entry.service = "*";
  entry.promise.every = 10min;
  entry.promise.grace = 1min;
  Instant now{Steady(1s), Wall(1'780'000'000s)};
  const auto kept = records(1'780'000'000);
  std::size_t names = 0;
  for (const FreshnessRecord& r : kept) names += r.subject.host.size() + r.subject.service.size();

  const std::size_t before = allocated();
  auto begin = Clock::now();
  Freshness engine({entry});
  for (std::size_t i = 0; i < kept.size(); ++i)
    engine.restore(static_cast<Freshness::Id>(i), kept[i]);
  engine.start(now);
  fmt::print("start {:.0f} ms\n", ms_since(begin));
  std::vector<FreshnessNews> news;
  begin = Clock::now();
  const double swept = longest_turn(engine, now, news);
  fmt::print("first look at all {:.0f} ms, longest turn {:.2f} ms\n", ms_since(begin), swept);
  fmt::print("memory {:.0f} bytes a subject beside its name\n",
             static_cast<double>(allocated() - before - names) / kSubjects);

  begin = Clock::now();
  for (const FreshnessRecord& r : kept)
    (void)engine.report({r.subject.host, r.subject.service, {}, {}, {}}, now);
  fmt::print("a report {:.0f} ns\n", ms_since(begin) * 1e6 / kSubjects);

  double longest = 0;
  for (int second = 0; second < 12 * 60; ++second) {
    now = {now.steady + 1s, now.wall + 1s};
    longest = std::max(longest, longest_turn(engine, now, news));
  }
  fmt::print("all overdue at once: longest turn {:.2f} ms\n", longest);
}

}  // namespace
}  // namespace checkrelay

int main() { checkrelay::measure(); }
