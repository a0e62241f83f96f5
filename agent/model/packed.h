// The packed form of a check result: what the journal keeps and bundles carry. MessagePack, an
// array that begins with its version; spool/FORMAT.md is the document, tests/golden the bytes.
// Readers take every version up to kPackedVersion.
#pragma once

#include <string>
#include <string_view>

#include "agent/model/check_result.h"

namespace checkrelay {

constexpr int kPackedVersion = 1;

[[nodiscard]] std::string pack(const CheckResult& r);
// Errc::corrupt where the bytes are no packed result, Errc::unsupported where the version is newer.
[[nodiscard]] Result<CheckResult> unpack(std::string_view bytes);

}  // namespace checkrelay
