// What the machine can do without us: each is what a careful programmer would write for that one
// purpose. Files are made in `directory` and removed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace checkrelay::bench {

// SQLite, WAL, synchronous=FULL, one row of about 300 bytes a result. Rows a second.
double sqlite_inserts(const std::string& directory, std::uint64_t rows,
                      std::uint64_t rows_a_transaction);
// The same with the rest of a queue's life: each batch is inserted, read back, and deleted, in its
// own transactions.
double sqlite_cycle(const std::string& directory, std::uint64_t rows,
                    std::uint64_t rows_a_transaction);

// The same for results that come in batches: each batch is one row and one transaction.
class PackedInserts {
 public:
  explicit PackedInserts(const std::string& directory);
  ~PackedInserts();
  PackedInserts(const PackedInserts&) = delete;
  PackedInserts& operator=(const PackedInserts&) = delete;
  void transaction(std::size_t results);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Seconds of each transaction of one such row.
std::vector<double> sqlite_commit_times(const std::string& directory, std::uint64_t rows);
// Each file of a directory is found, opened, read whole and removed; nothing is synced. Files a
// second.
double spool_reads(const std::string& directory);

// Seconds of each 4 KiB append with its fdatasync.
std::vector<double> sync_times(const std::string& directory, std::uint64_t appends);

// A POST as one of our destinations sends it.
struct Post {
  std::string target{};                // behind the server's root
  std::vector<std::string> headers{};  // besides those of JSON
  std::string login{};                 // "user:password" for basic authentication; empty: none
  std::string body{};
};
Post op5_post();
Post opsview_post();
// A libcurl-multi loop that keeps `handles` of such requests in flight on keep-alive connections.
// Requests a second.
double curl_forwards(const std::string& url, Post post, std::size_t handles,
                     std::uint64_t requests);

}  // namespace checkrelay::bench
