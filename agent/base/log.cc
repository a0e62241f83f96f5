#include "agent/base/log.h"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>

#include "agent/base/json.h"
#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr std::size_t kQueue =
    2048;  // lines; 400 bytes each from the start, and what a blocked stderr holds
constexpr std::size_t kMaxValue = 1024;  // bytes
constexpr std::array<std::string_view, 5> kNames{"trace", "debug", "info", "warn", "error"};

spdlog::level::level_enum native(Level level) {
  return static_cast<spdlog::level::level_enum>(static_cast<int>(level));
}

std::shared_ptr<spdlog::logger> plain_logger(std::shared_ptr<spdlog::logger> logger) {
  logger->set_level(spdlog::level::trace);
  logger->set_pattern("%v");
  return logger;
}

std::shared_ptr<spdlog::logger> synchronous_logger() {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  return plain_logger(std::make_shared<spdlog::logger>("checkrelay", sink));
}

struct State {
  std::atomic<Level> level{Level::info};
  bool json = false;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::logger> logger = synchronous_logger();
};

State& state() {
  static State s;
  return s;
}

bool special(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == '\x7F';
}

bool needs_quotes(std::string_view value) {
  return value.empty() || std::any_of(value.begin(), value.end(), special) || !is_valid_utf8(value);
}

std::string text_line(Level level, Wall now, std::string_view event,
                      std::initializer_list<Field> fields) {
  std::string line = fmt::format("time={} level={} event=", format_rfc3339(now),
                                 kNames[static_cast<std::size_t>(level)]);
  line += needs_quotes(event) ? quoted(event, kMaxValue) : std::string(event);
  for (const Field& f : fields) {
    line += fmt::format(" {}=", f.key);
    line +=
        needs_quotes(f.value) || f.value.size() > kMaxValue ? quoted(f.value, kMaxValue) : f.value;
  }
  return line;
}

std::string json_line(Level level, Wall now, std::string_view event,
                      std::initializer_list<Field> fields) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().key("time").text(format_rfc3339(now));
  json.key("level").text(kNames[static_cast<std::size_t>(level)]).key("event").text(event);
  for (const Field& f : fields) {
    std::string value(utf8_prefix(f.value, kMaxValue));
    make_valid_utf8(value);
    json.key(f.key).text(value);
  }
  json.end_object();
  return line;
}

}  // namespace

Result<Level> parse_level(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<Level>(i);
  return fail(Errc::invalid, quoted(name) + " is none of trace, debug, info, warn, error");
}

Field::Field(std::string_view k, double v) : key(k), value(fmt::format("{:.6g}", v)) {}

void start_log(Level level, bool json) {
  State& s = state();
  s.level = level;
  s.json = json;
  s.pool = std::make_shared<spdlog::details::thread_pool>(kQueue, 1);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  s.logger = plain_logger(std::make_shared<spdlog::async_logger>(
      "checkrelay", sink, s.pool, spdlog::async_overflow_policy::overrun_oldest));
}

void set_log_level(Level level) { state().level = level; }

void stop_log() {
  State& s = state();
  s.logger->flush();
  // Joins the thread, which writes out what is queued. First, for it holds the logger while it
  // does.
  s.pool.reset();
  s.logger = synchronous_logger();
}

bool log_enabled(Level level) { return level >= state().level.load(std::memory_order_relaxed); }

void log(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (!log_enabled(level)) return;
  // The one clock reading outside runtime/loop: a line's time is for people, nothing is decided by
  // it.
  Wall now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  std::string line =
      state().json ? json_line(level, now, event, fields) : text_line(level, now, event, fields);
  state().logger->log(native(level), std::string_view(line));
}

std::uint64_t log_lines_lost() {
  State& s = state();
  return s.pool ? s.pool->overrun_counter() : 0;
}

bool LogGate::open(Instant now, std::uint64_t& suppressed) {
  if (now.steady < next_) {
    ++held_;
    return false;
  }
  suppressed = held_;
  held_ = 0;
  next_ = now.steady + every_;
  return true;
}

}  // namespace checkrelay
