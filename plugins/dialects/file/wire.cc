#include "plugins/dialects/file/wire.h"

#include <fmt/format.h>

#include "agent/base/json.h"
#include "agent/base/text.h"

namespace checkrelay::file {
namespace {

// Seconds, exact to the microsecond. JsonWriter::number() may write 1.7e+09, which some readers of
// log files do not take.
class Seconds {
 public:
  explicit Seconds(Duration d) {
    constexpr std::int64_t kMicros = 1'000'000;
    const fmt::format_int whole(d.count() / kMicros);
    size_ = std::string_view(whole.data(), whole.size()).copy(text_, sizeof text_);
    const std::int64_t rest = d.count() % kMicros;
    if (rest == 0) return;
    const fmt::format_int digits(kMicros + rest);  // its leading one makes room for the point
    std::string_view(digits.data(), digits.size()).copy(text_ + size_, digits.size());
    text_[size_] = '.';
    size_ += digits.size();
    while (text_[size_ - 1] == '0') --size_;
  }
  [[nodiscard]] std::string_view text() const { return {text_, size_}; }

 private:
  char text_[32];
  std::size_t size_;
};

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
  json.key("time").raw(Seconds(r.time.time_since_epoch()).text());
  json.key("id").text(valid(r.id, own)).key("ttl").raw(Seconds(r.ttl).text());
  json.key("check_source").text(valid(r.check_source, own));
  json.key("received").raw(Seconds(r.received.time_since_epoch()).text());
  json.key("destination").text(valid(destination, own));
  json.end_object();
  out += '\n';
}

}  // namespace checkrelay::file
