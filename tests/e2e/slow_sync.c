// Preloaded into the agent: makes the disk slow or broken. The file that CHECKRELAY_SYNC names is read at every sync:
// "delay MILLISECONDS" waits before it, "fail" fails it with EIO; anything else, or no file, changes nothing.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int disturbed(void) {
  const char* name = getenv("CHECKRELAY_SYNC");
  FILE* file = name ? fopen(name, "re") : NULL;
  if (!file) return 0;
  char word[16] = "";
  long ms = 0;
  int read = fscanf(file, "%15s %ld", word, &ms);
  fclose(file);
  if (read >= 1 && strcmp(word, "fail") == 0) return 1;
  if (read == 2 && strcmp(word, "delay") == 0) {
    struct timespec wait = {ms / 1000, (ms % 1000) * 1000000L};
    nanosleep(&wait, NULL);
  }
  return 0;
}

static int sync_by(const char* name, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  if (disturbed()) {
    errno = EIO;
    return -1;
  }
  return real(fd);
}

int fsync(int fd) { return sync_by("fsync", fd); }
int fdatasync(int fd) { return sync_by("fdatasync", fd); }
