// A SQLite VFS that forgets, and that fails where it is told to. It passes everything through to
// the system's own and knows beside that what of each file is on the disk for good: what a sync
// that succeeded has covered. After a sync that failed the disk is asked no more for what it should
// have covered, as Linux does: the file reads as if it were there, and only writing it again brings
// it to the disk. lose() leaves what is there for good, and of what was written since a random
// choice of 512-byte sectors: what a disk may hold after the power went. Not modelled: lost
// directory entries, disks that lie about syncs.
#pragma once

#include <cstdint>
#include <string>

namespace checkrelay::power_loss {

constexpr const char* kVfs = "power-loss";

void install();  // once a process
// Forgets everything before and counts anew. crash_at: the n-th write, truncate, sync or removal
// fails, and all calls after it; 0 = none.
void arm(std::uint64_t crash_at);
void cut();  // the power, now
[[nodiscard]] bool crashed();
[[nodiscard]] std::uint64_t operations();  // since arm(), of those that crash_at counts
// REQUIRES: every file is closed. Makes the files what a power loss might have left, by `seed`.
void lose(std::uint64_t seed);

enum class Call { open, read, write, truncate, sync, size, lock, access, remove };
constexpr Call kCalls[] = {Call::open, Call::read, Call::write,  Call::truncate, Call::sync,
                           Call::size, Call::lock, Call::access, Call::remove};
[[nodiscard]] const char* to_string(Call call);
[[nodiscard]] std::uint64_t calls(Call call);  // since arm()

// torn: half of a write arrives before it fails.
enum class How { io_error, full, torn, torn_full };
struct Failure {
  Call call = Call::write;
  std::uint64_t at = 0;  // of the calls since arm(), from 1; 0 = the next one
  How how = How::io_error;
  bool lasting = false;  // all from there on, until heal()
};
void fail(const Failure& failure);
void heal();
[[nodiscard]] bool struck();  // since fail()

}  // namespace checkrelay::power_loss
