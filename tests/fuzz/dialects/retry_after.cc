// Retry-After, dates of HTTP, and an upstream's words: the first text is the header, the second the
// words, the third the secret.
#include "agent/base/text.h"
#include "plugins/dialects/answer.h"
#include "plugins/transports/http_text.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text_of(data, size);
  const std::string header(fuzz::take_text(input));
  const std::string words(fuzz::take_text(input));
  if (auto date = parse_http_date(header)) {
    const auto year = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(*date));
    require(static_cast<int>(year.year()) >= 0 && static_cast<int>(year.year()) <= 10'000);
    require(parse_http_date(format_http_date(*date)) == date);
  }
  Message response = Message::response(503, "", "text/plain");
  response.headers.push_back({"Retry-After", header});
  if (auto wait = retry_after(response, Wall(std::chrono::seconds(1'700'000'000)))) {
    require(wait->count() >= 0 && *wait <= kLongestRetryAfter);
  }
  const std::string shown = presentable(words, {"relay", Secret(std::string(input))});
  require(shown.size() <= kAnswerLimit && is_valid_utf8(shown));
  require(shown.find('\n') == shown.npos);
  auto decoded = decode_base64(base64(input));
  require(decoded && *decoded == input);
  (void)decode_base64(header);
  return 0;
}
