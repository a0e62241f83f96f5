#include "plugins/dialects/file/wire.h"

#include <fmt/format.h>

#include "agent/base/json.h"
#include "agent/base/text.h"

namespace checkrelay::file {
namespace {

// JsonWriter::number() may write 1.7e+09, which some readers of log files do not take.
std::string seconds(Duration d) {
  std::string text = fmt::format("{}.{:06}", d.count() / 1'000'000, d.count() % 1'000'000);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string valid(std::string text) {
  make_valid_utf8(text);
  return text;
}

}  // namespace

void append_line(std::string& out, const CheckResult& r, std::string_view destination) {
  JsonWriter json(out);
  json.begin_object();
  json.key("host").text(valid(r.subject.host)).key("service").text(valid(r.subject.service));
  json.key("state").integer(r.state);
  json.key("output").text(valid(r.output)).key("perfdata").text(valid(r.perfdata));
  json.key("time").raw(seconds(r.time.time_since_epoch()));
  json.key("id").text(valid(r.id)).key("ttl").raw(seconds(r.ttl));
  json.key("check_source").text(valid(r.check_source));
  json.key("received").raw(seconds(r.received.time_since_epoch()));
  json.key("destination").text(valid(std::string(destination)));
  json.end_object();
  out += '\n';
}

}  // namespace checkrelay::file
