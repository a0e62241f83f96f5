// An agent's socket whose answers a test writes. Runs in a thread of its own until it is destroyed.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace checkrelay::testing {

// One connection, as the agent sees it.
class Caller {
 public:
  explicit Caller(int fd) : fd_(fd) {}
  // Nothing at the end of the stream.
  std::optional<std::string> line() {
    std::size_t end = 0;
    while ((end = buffer_.find('\n')) == std::string::npos) {
      if (!more()) return std::nullopt;
    }
    std::string out = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return out;
  }
  std::string until(const std::string& mark) {
    while (buffer_.find(mark) == std::string::npos && more()) {
    }
    return buffer_;
  }
  void say(const std::string& text) { (void)::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  void wait_for_hang_up() {
    while (more()) {
    }
  }

 private:
  bool more() {
    std::array<char, 4096> piece{};
    ssize_t n = ::recv(fd_, piece.data(), piece.size(), 0);
    if (n > 0) buffer_.append(piece.data(), static_cast<std::size_t>(n));
    return n > 0;
  }
  int fd_;
  std::string buffer_;
};

class FakeAgent {
 public:
  // `serve` gets each connection and its number from 0; the connection closes when it returns.
  FakeAgent(const std::string& path, std::function<void(Caller&, int)> serve)
      : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd_, 8), 0);
    thread_ = std::thread([this, serve = std::move(serve)] { run(serve); });
  }
  ~FakeAgent() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }

 private:
  void run(const std::function<void(Caller&, int)>& serve) {
    for (int number = 0;; ++number) {
      int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      Caller caller(fd);
      serve(caller, number);
      ::close(fd);
    }
  }
  int fd_;
  std::thread thread_;
};

// A directory of its own for each test, with a spool directory in it.
class InOwnDirectory : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string form = ::testing::TempDir() + "cliXXXXXX";
    ASSERT_NE(::mkdtemp(form.data()), nullptr);
    dir_ = form;
    std::filesystem::create_directory(spool());
    for (const char* name : {"CHECKRELAY_SOCKET", "CHECKRELAY_SPOOL"}) ::unsetenv(name);
    ::setenv("CHECKRELAY_CONFIG", (dir_ + "/none.toml").c_str(), 1);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  [[nodiscard]] std::string socket() const { return dir_ + "/s"; }
  [[nodiscard]] std::string spool() const { return dir_ + "/spool"; }
  // Contents of the spool directory's files, hidden ones too.
  [[nodiscard]] std::vector<std::string> kept() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(spool())) {
      std::ifstream file(entry.path(), std::ios::binary);
      std::ostringstream content;
      content << file.rdbuf();
      out.push_back(content.str());
    }
    return out;
  }
  std::string dir_;
};

}  // namespace checkrelay::testing
