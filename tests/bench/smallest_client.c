/* The least that can hand in a result and hear that it is on disk; `checkrelay send` is held against it.
   Usage: checkrelay-bench-client SOCKET */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char** argv) {
  static const char line[] = "{\"host\":\"h\",\"service\":\"s\",\"state\":0,\"output\":\"fine\"}\n";
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char reply[512];
  if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path) return 2;
  strcpy(address.sun_path, argv[1]);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr*)&address, sizeof address) != 0) return 3;
  if (write(fd, line, sizeof line - 1) != (ssize_t)(sizeof line - 1)) return 3;
  ssize_t n = read(fd, reply, sizeof reply);
  return n > 10 && memcmp(reply, "{\"ok\":true", 10) == 0 ? 0 : 1;
}
