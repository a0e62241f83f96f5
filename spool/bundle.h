// The bytes of a bundle (FORMAT.md): a head, then chunks, each with a checksum or, where a
// passphrase protects the bundle, sealed by libsodium's secretstream under a key that Argon2id
// makes of it. Pure but for chance.
#pragma once

#include <sodium.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/secret.h"
#include "agent/base/time.h"

namespace checkrelay {

constexpr int kBundleVersion = 1;
constexpr std::size_t kBundleHead = 22;  // bytes of an open head
constexpr std::size_t kSealedHead = kBundleHead + 48;
constexpr std::size_t kMaxChunk = 64U << 20;  // bytes; a reader takes no more

// How dear a guess of the passphrase is; FORMAT.md bounds what a reader goes along with.
struct BundleCost {
  std::uint32_t passes = 3;
  std::uint32_t memory = 64 * 1024;  // KiB
};

enum class ChunkKind : std::uint8_t { records = 0, end = 1 };
struct Chunk {
  ChunkKind kind = ChunkKind::records;
  std::string text{};
};

// What both ends share: the head, and the state of the seal.
class BundleCodec {
 public:
  // For writing. unavailable: there is not so much memory.
  [[nodiscard]] static Result<BundleCodec> begin(const Secret& passphrase, Wall created,
                                                 BundleCost cost = {});
  // For reading. How long the head is, from its first kBundleHead bytes: invalid, unsupported.
  [[nodiscard]] static Result<std::size_t> head_size(std::string_view first);
  [[nodiscard]] static Result<BundleCodec> read(std::string_view head, const Secret& passphrase);

  [[nodiscard]] const std::string& head() const { return head_; }
  [[nodiscard]] Wall created() const { return created_; }
  [[nodiscard]] std::string encode(const Chunk& chunk);  // with its length before it
  // `content` is what stands behind the length.
  [[nodiscard]] Result<Chunk> decode(std::string_view content);

 private:
  [[nodiscard]] std::uint32_t checksum(std::string_view text) const;
  [[nodiscard]] std::optional<std::string> unseal(std::string_view content, bool& last);

  std::string head_;
  Wall created_{};
  bool sealed_ = false;
  std::uint64_t number_ = 0;  // of the next chunk
  crypto_secretstream_xchacha20poly1305_state seal_{};
};

}  // namespace checkrelay
