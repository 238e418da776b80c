#ifndef RAPPORT_TOOLS_RAPPORTCTL_SEED_NETWORK_H_
#define RAPPORT_TOOLS_RAPPORTCTL_SEED_NETWORK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"

// A made-up network of clinics, the same for the same options on every machine.
namespace rapport::seed {

struct NetworkOptions {
  std::string organization_id;
  int clinicians = 20;
  uint64_t seed = 1;
  absl::CivilDay start;  // a Monday: sessions begin in the four weeks from it
  int courses_each = 8;  // of a clinician at most
};

// A course and its weekly sessions.
struct CoursePlan {
  scheduling::v1::Course course;               // to create; its clinician is who creates it
  scheduling::v1::BookSeriesRequest sessions;  // but for the course's name
};

struct Network {
  // Clinics in several zones with their rooms, clinicians with weekly hours, one in ten of them in
  // training under a colleague. In an order in which they can be imported.
  std::vector<scheduling::v1::ImportDirectoryRequest> directory;
  // Clinician by clinician; no two want one clinician or more rooms than there are at one time.
  std::vector<CoursePlan> courses;
};

Network MakeNetwork(const NetworkOptions& options);

}  // namespace rapport::seed

#endif  // RAPPORT_TOOLS_RAPPORTCTL_SEED_NETWORK_H_
