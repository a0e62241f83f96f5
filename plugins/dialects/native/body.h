// Text that is there as a whole: a datagram, the body of a request.
#pragma once

#include <cstddef>
#include <string>

#include "plugins/dialects/native/batch.h"

namespace checkrelay::native {

constexpr std::size_t kMaxElements =
    100'000;  // results at once; a body of nothing but `{}` stays bounded

// Any format, by its first byte. A JSON object may spread over several lines when it stands alone.
void take_text(std::string text, std::size_t max_result, Batch& batch);
// A JSON list of objects, objects a line each, one object, or MessagePack maps.
void take_body(std::string body, bool msgpack, std::size_t max_result, Batch& batch);

}  // namespace checkrelay::native
