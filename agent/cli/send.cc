#include "agent/cli/send.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "agent/base/json.h"
#include "agent/base/text.h"
#include "agent/cli/cli.h"
#include "agent/cli/given.h"
#include "agent/cli/sender.h"
#include "agent/model/check_result.h"

namespace checkrelay {
namespace {

constexpr std::size_t kMaxItem =
    1024UL * 1024;  // bytes; far above any limits.max_result that makes sense

void say(const std::string& text) { std::fprintf(stderr, "checkrelay send: %s\n", text.c_str()); }

Result<Wall> read_time(const std::string& text) {
  if (auto seconds = parse_number(text)) return wall_from_epoch(*seconds);
  return parse_rfc3339(text);
}

Error in_field(std::string_view field, const Error& error) {
  return {error.code, fmt::format("{}: {}", field, error.what)};
}

// A run begins: its result, with the same id, tells how it ended.
Result<CheckResult> read_start(const Arguments& arguments, const std::string& hostname,
                               IdMaker& ids) {
  CheckResult r;
  r.start = true;
  r.subject.host = arguments.has("host") ? arguments.text("host") : hostname;
  r.subject.service = arguments.text("service");
  auto time = arguments.has("time") ? read_time(arguments.text("time")) : wall_now();
  if (!time) return tl::unexpected<Error>(in_field("time", time.error()));
  r.time = *time;
  r.id = arguments.has("id") ? arguments.text("id") : ids.make(wall_now());
  if (auto good = validate(r); !good) return tl::unexpected<Error>(good.error());
  return r;
}

Result<CheckResult> read_result(const Arguments& arguments, const std::string& hostname,
                                IdMaker& ids) {
  if (arguments.has("start")) return read_start(arguments, hostname, ids);
  CheckResult r;
  r.subject.host = arguments.has("host") ? arguments.text("host") : hostname;
  r.subject.service = arguments.text("service");
  r.output = arguments.text("output");
  r.perfdata = arguments.text("perfdata");
  make_valid_utf8(r.output);
  make_valid_utf8(r.perfdata);
  auto state = parse_state(arguments.text("state"), r.subject.is_host());
  if (!state && r.subject.is_host() && parse_state(arguments.text("state"), false))
    state.error().what += "; is -S SERVICE missing?";
  if (!state) return tl::unexpected<Error>(in_field("state", state.error()));
  r.state = *state;
  auto time = arguments.has("time") ? read_time(arguments.text("time")) : wall_now();
  if (!time) return tl::unexpected<Error>(in_field("time", time.error()));
  r.time = *time;
  auto ttl = arguments.has("ttl") ? read_ttl(arguments.text("ttl")) : Duration{};
  if (!ttl) return tl::unexpected<Error>(in_field("ttl", ttl.error()));
  r.ttl = *ttl;
  r.id = arguments.has("id") ? arguments.text("id") : ids.make(wall_now());
  if (auto good = validate(r); !good) return tl::unexpected<Error>(good.error());
  return r;
}

// The time goes along, because the spool directory may be read much later. What was not given is
// the agent's to fill in, as for every producer: its own host name, perfdata from the output.
std::string to_json(const CheckResult& r, const Arguments& given) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("id").text(r.id);
  if (given.has("host")) json.key("host").text(r.subject.host);
  if (!r.subject.is_host()) json.key("service").text(r.subject.service);
  if (r.start) {
    json.key("start").boolean(true);
  } else {
    json.key("state").integer(r.state).key("output").text(r.output);
  }
  if (given.has("perfdata")) json.key("perfdata").text(r.perfdata);
  json.key("time").number(epoch_seconds(r.time));
  if (r.ttl > Duration{}) json.key("ttl").number(to_seconds(r.ttl));
  json.end_object();
  return out + "\n";
}

bool input_waits() {
  pollfd p{STDIN_FILENO, POLLIN, 0};
  return ::poll(&p, 1, 0) > 0;
}

// False where standard input cannot be read.
bool read_input(Feed& feed) {
  std::array<char, 64 * 1024> piece{};
  ssize_t n = 0;
  do {
    n = ::read(STDIN_FILENO, piece.data(), piece.size());
  } while (n < 0 && errno == EINTR);
  if (n > 0) {
    feed.add({piece.data(), static_cast<std::size_t>(n)});
  } else {
    feed.finish();
  }
  return n >= 0;
}

Item identified(Item item, IdMaker& ids) {
  if (item.bytes.starts_with('{')) {
    item.bytes = with_identity(item.bytes, ids.make(wall_now()), wall_now());
  }
  return item;
}

int send_input(Sender& sender, IdMaker& ids) {
  Feed feed(kMaxItem);
  bool read = true;
  for (;;) {
    if (auto item = feed.next()) {
      sender.add(identified(std::move(*item), ids));
    } else if (feed.finished()) {
      break;
    } else {
      if (!input_waits()) sender.settle();  // a slow producer's results are safe before the next
      read = read_input(feed);
      if (!read) say(fmt::format("standard input: {}", std::strerror(errno)));
    }
  }
  sender.settle();
  return read || sender.exit_status() != kExitOk ? sender.exit_status() : kExitNo;
}

int send_one(const Arguments& arguments, const std::string& hostname, Sender& sender,
             IdMaker& ids) {
  auto result = read_result(arguments, hostname, ids);
  if (!result) {
    say("refused: " + result.error().what);
    return kExitNo;
  }
  sender.add({1, to_json(*result, arguments), {}});
  sender.settle();
  const bool wanted = arguments.has("verbose") || result->start;
  if (wanted && sender.exit_status() == kExitOk) std::puts(result->id.c_str());
  return sender.exit_status();
}

// What is wrong with the options taken together; empty = nothing.
std::string misuse(const Arguments& arguments) {
  if (arguments.has("start") && !arguments.has("stdin")) {
    for (const char* name : {"state", "output", "perfdata", "ttl"})
      if (arguments.has(name)) return fmt::format("--{} does not go with --start", name);
    return arguments.text("service").empty() ? "-S SERVICE is missing" : "";
  }
  if (!arguments.has("stdin")) {
    if (!arguments.has("state")) return "-s STATE is missing";
    return arguments.has("output") ? "" : "-m OUTPUT is missing";
  }
  for (const char* name :
       {"host", "service", "state", "output", "perfdata", "time", "id", "ttl", "start"}) {
    if (arguments.has(name)) return fmt::format("--{} does not go with --stdin", name);
  }
  return "";
}

}  // namespace

int send_command(const Arguments& arguments) {
  if (std::string wrong = misuse(arguments); !wrong.empty()) return usage_error("send", wrong);
  SenderOptions options;
  if (arguments.has("timeout")) {
    auto timeout = parse_duration(arguments.text("timeout"));
    if (!timeout) return usage_error("send", "--timeout: " + timeout.error().what);
    options.timeout = *timeout;
  }
  Surroundings around = look_around(arguments);
  options.socket = around.socket;
  options.spool_dir = around.spool_dir;
  options.spool = !arguments.has("no-spool");
  bool many = arguments.has("stdin");
  IdMaker ids(random_seed());
  Sender sender(
      options, ids,
      [many](std::size_t number, const std::string& why) {
        say(many ? fmt::format("line {}: {}", number, why) : "refused: " + why);
      },
      say);
  return many ? send_input(sender, ids) : send_one(arguments, around.hostname, sender, ids);
}

}  // namespace checkrelay
