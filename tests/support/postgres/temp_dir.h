#ifndef RAPPORT_TESTS_SUPPORT_POSTGRES_TEMP_DIR_H_
#define RAPPORT_TESTS_SUPPORT_POSTGRES_TEMP_DIR_H_

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace rapport::testing {

// A new folder, removed with what is in it.
class TempDir {
 public:
  TempDir() {
    path_ = (std::filesystem::temp_directory_path() / "rapport-test.XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr) {
      std::perror(path_.c_str());
      std::abort();
    }
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace rapport::testing

#endif  // RAPPORT_TESTS_SUPPORT_POSTGRES_TEMP_DIR_H_
