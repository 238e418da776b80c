#include <cstdio>
#include <cstring>

// The three services in one program, for the image: most of each is what all of them share. It is
// the one that it is called as, `rapport-scheduling` and so on, which are links to it.

namespace rapport {
namespace scheduling {
int Main(int argc, char** argv);
}
namespace assessment {
int Main(int argc, char** argv);
}
namespace notes {
int Main(int argc, char** argv);
}
}  // namespace rapport

int main(int argc, char** argv) {
  const char* slash = argc > 0 ? std::strrchr(argv[0], '/') : nullptr;
  const char* name = slash != nullptr ? slash + 1 : argc > 0 ? argv[0] : "";
  if (std::strcmp(name, "rapport-scheduling") == 0) return rapport::scheduling::Main(argc, argv);
  if (std::strcmp(name, "rapport-assessment") == 0) return rapport::assessment::Main(argc, argv);
  if (std::strcmp(name, "rapport-notes") == 0) return rapport::notes::Main(argc, argv);
  std::fputs("rapport: call it as rapport-scheduling, rapport-assessment or rapport-notes\n",
             stderr);
  return 2;
}
