#include "tests/robustness/suite/course_writers.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "rapport/scheduling/v1/course_service.pb.h"

namespace rapport::testing {

bool Eventually(absl::FunctionRef<bool()> so, absl::Duration patience) {
  for (const absl::Time deadline = absl::Now() + patience; absl::Now() < deadline;) {
    if (so()) return true;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return false;
}

void Stopwatch::Phase(const std::string& name) {
  MutexLock lock(mutex_);
  phases_.push_back({name, {}});
}

void Stopwatch::Took(absl::Duration time) {
  MutexLock lock(mutex_);
  if (!phases_.empty()) phases_.back().millis.push_back(absl::ToDoubleMilliseconds(time));
}

void Stopwatch::Report(const std::string& what) {
  MutexLock lock(mutex_);
  for (Timed& phase : phases_) {
    std::sort(phase.millis.begin(), phase.millis.end());
    const size_t count = phase.millis.size();
    if (count == 0) continue;
    std::printf("  %-14s %-8s %6zu calls, p50 %.1f ms, p99 %.1f ms, longest %.1f ms\n",
                what.c_str(), phase.phase.c_str(), count, phase.millis[count / 2],
                phase.millis[count * 99 / 100], phase.millis.back());
  }
}

CourseWriters::CourseWriters(const MakeCaller& caller, const Practice& practice, int threads)
    : practice_(practice) {
  for (int i = 0; i < threads; ++i) callers_.push_back(caller());
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this, i] { Run(*callers_[i], i); });
}

void CourseWriters::Stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void CourseWriters::Run(ctl::GrpcCaller& caller, int thread) {
  scheduling::v1::CreateCourseRequest request;
  request.set_parent(practice_.organization);
  *request.mutable_course() = practice_.course;
  for (int number = 0; !stopping_; ++number) {
    const std::string id = absl::StrCat("w", thread, "-", number);
    request.mutable_course()->set_patient(practice_.Name("patients/" + id));
    request.set_request_id(id);
    const absl::Time begun = absl::Now();
    const auto made = caller.Call<scheduling::v1::Course>(
        practice_.therapist, "rapport.scheduling.v1.CourseService/CreateCourse", request);
    stopwatch_.Took(absl::Now() - begun);
    if (made.ok()) {
      MutexLock lock(mutex_);
      acknowledged_.insert(made->name());
      ++acknowledged_count_;
      continue;
    }
    {
      MutexLock lock(mutex_);
      const std::string reason = errors::Reason(made.status());
      failures_.insert(reason.empty() ? absl::StatusCodeToString(made.status().code()) : reason);
      ++failed_count_;
    }
    absl::SleepFor(absl::Milliseconds(5));  // as clients back off
  }
}

std::vector<std::string> CourseWriters::Check(ctl::Caller& caller) {
  std::map<std::string, int> names, patients;
  std::vector<std::string> faults;
  scheduling::v1::ListCoursesRequest list;
  list.set_parent(practice_.organization);
  list.set_page_size(500);
  do {
    const auto page = caller.Call<scheduling::v1::ListCoursesResponse>(
        practice_.therapist, "rapport.scheduling.v1.CourseService/ListCourses", list);
    if (!page.ok()) return {page.status().ToString()};
    for (const auto& course : page->courses()) {
      ++names[course.name()];
      ++patients[course.patient()];
    }
    list.set_page_token(page->next_page_token());
  } while (!list.page_token().empty());
  for (const auto& [patient, count] : patients) {
    if (count > 1) faults.push_back(absl::StrCat(patient, " is there ", count, " times"));
  }
  for (const std::string& name : acknowledged()) {
    if (names[name] != 1) faults.push_back(absl::StrCat(name, " is there ", names[name], " times"));
  }
  return faults;
}

std::set<std::string> CourseWriters::acknowledged() {
  MutexLock lock(mutex_);
  return acknowledged_;
}

std::set<std::string> CourseWriters::failures() {
  MutexLock lock(mutex_);
  return failures_;
}

}  // namespace rapport::testing
