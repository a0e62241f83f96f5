#include "plugins/dialects/file/wire.h"

#include <fmt/format.h>

#include "agent/base/json.h"
#include "agent/base/text.h"

namespace checkrelay::file {
namespace {

// JsonWriter::number() may write 1.7e+09, which some readers of log files do not take.
std::string seconds(Duration d) {
  constexpr std::int64_t kMicros = 1'000'000;
  const fmt::format_int whole(d.count() / kMicros);
  std::string text(whole.data(), whole.size());
  const std::int64_t rest = d.count() % kMicros;
  if (rest == 0) return text;
  const fmt::format_int digits(kMicros + rest);  // its leading one makes room for the point
  text.append(digits.data(), digits.size());
  text[whole.size()] = '.';
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

// `text`, or what it was mended to in `own`.
std::string_view valid(std::string_view text, std::string& own) {
  if (is_valid_utf8(text)) return text;
  own = text;
  make_valid_utf8(own);
  return own;
}

}  // namespace

void append_line(std::string& out, const CheckResult& r, std::string_view destination) {
  std::string own;
  JsonWriter json(out);
  json.begin_object();
  json.key("host").text(valid(r.subject.host, own));
  json.key("service").text(valid(r.subject.service, own));
  json.key("state").integer(r.state);
  json.key("output").text(valid(r.output, own));
  json.key("perfdata").text(valid(r.perfdata, own));
  json.key("time").raw(seconds(r.time.time_since_epoch()));
  json.key("id").text(valid(r.id, own)).key("ttl").raw(seconds(r.ttl));
  json.key("check_source").text(valid(r.check_source, own));
  json.key("received").raw(seconds(r.received.time_since_epoch()));
  json.key("destination").text(valid(destination, own));
  json.end_object();
  out += '\n';
}

}  // namespace checkrelay::file
