// A SQLite VFS that forgets. It passes everything through to the system's own, remembers each write
// that was not yet synced, and after `crash_at` writes or syncs fails every call. lose() then takes
// the unsynced writes back, except for a random choice of 512-byte sectors: what a disk may hold
// after the power went. Not modelled: lost directory entries, disks that lie about syncs.
#pragma once

#include <cstdint>
#include <string>

namespace checkrelay::power_loss {

constexpr const char* kVfs = "power-loss";

void install();  // once a process
// Forgets everything before and counts anew. crash_at: the n-th write, truncate or sync fails, and
// all after it; 0 = none.
void arm(std::uint64_t crash_at);
[[nodiscard]] bool crashed();
[[nodiscard]] std::uint64_t operations();  // since arm()
// REQUIRES: every file is closed. Makes the files what a power loss might have left, by `seed`.
void lose(std::uint64_t seed);

// Another fault: writes fail with "disk full", or syncs fail, from now until told otherwise.
enum class Fault { none, full, sync, write };
void set_fault(Fault fault);

}  // namespace checkrelay::power_loss
