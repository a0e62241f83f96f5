// The program that users call. It hands results in itself, with as little to load as can be, and
// becomes checkrelay-agent, which stands beside it or in ../libexec/checkrelay, for every other
// command.
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "agent/cli/cli.h"
#include "agent/cli/exec.h"
#include "agent/cli/send.h"

namespace checkrelay {
namespace {

std::string own_directory() {
  std::string path(PATH_MAX, '\0');
  ssize_t n = ::readlink("/proc/self/exe", path.data(), path.size());
  if (n <= 0) return ".";
  path.resize(static_cast<std::size_t>(n));
  return path.substr(0, path.rfind('/'));
}

int become_agent(char** argv) {
  std::string dir = own_directory();
  for (const char* place : {"/checkrelay-agent", "/../libexec/checkrelay/checkrelay-agent"}) {
    ::execv((dir + place).c_str(), argv);
    if (errno != ENOENT) break;
  }
  std::fprintf(stderr, "checkrelay: %s/checkrelay-agent: %s\n", dir.c_str(), std::strerror(errno));
  return kExitNo;
}

}  // namespace
}  // namespace checkrelay

int main(int argc, char** argv) {
  using namespace checkrelay;
  std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  std::string word = command_word(arguments);
  if (word != "send" && word != "exec" && word != "version" && word != "--version")
    return become_agent(argv);
  return run_cli(std::move(arguments), {{"send", send_command}, {"exec", exec_command}});
}
