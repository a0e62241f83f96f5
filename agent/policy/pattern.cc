#include "agent/policy/pattern.h"

#include <re2/re2.h>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr std::string_view kRegex = "regex:", kIregex = "iregex:";
constexpr std::int64_t kMemory = 1 << 20;  // bytes of one compiled pattern, its caches included

RE2::Options options(bool ignore_case) {
  RE2::Options o;
  o.set_log_errors(false);
  o.set_case_sensitive(!ignore_case);
  o.set_max_mem(kMemory);
  return o;
}

}  // namespace

Result<Pattern> Pattern::compile(std::string_view text) {
  if (text.starts_with(kRegex)) return expression(text.substr(kRegex.size()), false);
  if (text.starts_with(kIregex)) return expression(text.substr(kIregex.size()), true);
  Pattern p;
  p.exact_ = text;
  return p;
}

Result<Pattern> Pattern::expression(std::string_view text, bool ignore_case) {
  if (text.size() > kMaxPattern)
    return fail(Errc::invalid, "a pattern of more than 1024 bytes: " + quoted(text));
  auto compiled =
      std::make_shared<const RE2>(re2::StringPiece(text.data(), text.size()), options(ignore_case));
  if (!compiled->ok())
    return fail(Errc::invalid, "pattern " + quoted(text) + ": " + compiled->error());
  Pattern p;
  p.expression_ = std::move(compiled);
  return p;
}

bool Pattern::matches(std::string_view text) const {
  if (!expression_) return text == exact_;
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *expression_);
}

}  // namespace checkrelay
