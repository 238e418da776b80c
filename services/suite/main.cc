#include <cstdio>
#include <cstring>

// The three services in one program, for the image: most of each is what all of them share. It is
// the one that it is called as, `rapport-scheduling` and so on, which are links to it.

// What each service's main.cc calls `main`.
int rapport_scheduling_main(int argc, char** argv);
int rapport_assessment_main(int argc, char** argv);
int rapport_notes_main(int argc, char** argv);

int main(int argc, char** argv) {
  const char* slash = argc > 0 ? std::strrchr(argv[0], '/') : nullptr;
  const char* name = slash != nullptr ? slash + 1 : argc > 0 ? argv[0] : "";
  if (std::strcmp(name, "rapport-scheduling") == 0) return rapport_scheduling_main(argc, argv);
  if (std::strcmp(name, "rapport-assessment") == 0) return rapport_assessment_main(argc, argv);
  if (std::strcmp(name, "rapport-notes") == 0) return rapport_notes_main(argc, argv);
  std::fputs("rapport: call it as rapport-scheduling, rapport-assessment or rapport-notes\n",
             stderr);
  return 2;
}
