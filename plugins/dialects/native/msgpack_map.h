// MessagePack maps with the keys of a check result, back to back (msgpack specification, 2017).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/base/result.h"
#include "agent/model/check_result.h"

namespace checkrelay::native {

// Finds where an object ends, however its bytes arrive, in linear time and constant memory: nothing
// is built, and a claim of more than `max` bytes or entries is seen at its header.
class MsgpackBoundary {
 public:
  enum class Found { more, whole, too_long, broken };
  explicit MsgpackBoundary(std::size_t max) : max_(max) {}
  // `bytes` begins at the object and only grows from call to call. After too_long and broken there
  // is no way on.
  [[nodiscard]] Found scan(std::string_view bytes);
  [[nodiscard]] std::size_t size() const { return at_; }         // where whole
  [[nodiscard]] std::string_view what() const { return what_; }  // where broken
  void reset();                                                  // for the next object

 private:
  static constexpr std::size_t kMaxDepth = 16;  // a result is one map; what is deeper is no result
  Found enter(std::uint64_t children);
  void complete_one();

  std::size_t max_;
  std::size_t at_ = 0;  // the next header
  std::size_t depth_ = 0;
  bool done_ = false;
  std::array<std::uint64_t, kMaxDepth> left_{};  // values that are still to come, a level each
  std::string_view what_{};
};

// `bytes` is one object, as MsgpackBoundary found it. `mended` grows by the number of replaced
// UTF-8 sequences.
[[nodiscard]] Result<CheckResult> decode_msgpack(std::string_view bytes, std::size_t& mended);

}  // namespace checkrelay::native
