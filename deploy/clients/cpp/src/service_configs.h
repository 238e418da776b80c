#ifndef RAPPORT_CLIENT_SERVICE_CONFIGS_H_
#define RAPPORT_CLIENT_SERVICE_CONFIGS_H_

namespace rapport::client {

// Of each service: time-outs, retries, load balancing, health checking, as gRPC reads them.
extern const char kSchedulingServiceConfig[];
extern const char kAssessmentServiceConfig[];
extern const char kNotesServiceConfig[];

}  // namespace rapport::client

#endif  // RAPPORT_CLIENT_SERVICE_CONFIGS_H_
