#include "agent/policy/plugin_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

using End = ChildOutcome::End;

constexpr int kUnknown = 3, kDown = 1;

std::string signal_words(int signal) {
  const char* name = sigabbrev_np(signal);
  const char* words = sigdescr_np(signal);
  if (!name || !words) return fmt::format("signal {}", signal);
  return fmt::format("SIG{} ({})", name, words);
}

std::string ended_words(const ChildOutcome& o) {
  switch (o.end) {
    case End::exited:
      return fmt::format("it ended with exit status {}", o.code);
    case End::signalled:
      return fmt::format("it was ended by {}", signal_words(o.code));
    case End::hangs:
      return o.error;
    case End::not_run:
      break;
  }
  return "it was not run";
}

// Why what it printed is no check result; none where it is one.
std::optional<std::string> trouble_of(const PluginRun& run, const ChildOutcome& o) {
  if (o.end == End::not_run)
    return fmt::format("cannot run {}: {}", quoted(run.command.arguments[0], 200), o.error);
  if (o.timed_out)
    return fmt::format("the plugin was not done within {}; {}",
                       format_duration(run.command.timeout), ended_words(o));
  if (o.flooded)
    return fmt::format("the plugin printed more than {} and was ended", format_size(kMostPrinted));
  if (o.end == End::hangs) return ended_words(o);
  if (o.end == End::signalled)
    return fmt::format("the plugin was ended by {}", signal_words(o.code));
  if (o.code < 0 || o.code > kUnknown)
    return fmt::format("exit status {} is none of a plugin's, which are 0 to 3", o.code);
  if (trimmed(o.out).empty())
    return fmt::format("the plugin printed nothing to standard output; {}", ended_words(o));
  return std::nullopt;
}

// What is said of it besides the trouble.
std::string printed_words(const ChildOutcome& o) {
  const std::string_view out = trimmed(o.out), err = trimmed(o.err);
  if (!out.empty()) return fmt::format("; it had printed: {}", out);
  if (!err.empty()) return fmt::format("; on standard error: {}", err);
  return "";
}

void cut(std::string& text, std::size_t limit) {
  if (text.size() > limit) text.resize(utf8_prefix(text, limit).size());
}

}  // namespace

CheckResult plugin_result(const PluginRun& run, const ChildOutcome& outcome,
                          std::uint64_t& mended) {
  CheckResult r;
  r.subject = run.subject;
  r.time = run.ended;
  r.check_source = kPluginSource;
  const bool host = run.subject.is_host();
  if (const auto trouble = trouble_of(run, outcome)) {
    r.state = static_cast<State>(host ? kDown : kUnknown);
    r.output = *trouble + printed_words(outcome);
  } else {
    r.state = static_cast<State>(host ? std::min(outcome.code, kDown) : outcome.code);
    split_plugin_output(outcome.out, r.output, r.perfdata);
  }
  mended += make_valid_utf8(r.output) + make_valid_utf8(r.perfdata);
  cut(r.output, run.command.keep);
  cut(r.perfdata, run.command.keep - r.output.size());
  return r;
}

}  // namespace checkrelay
