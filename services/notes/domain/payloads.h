#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_PAYLOADS_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_PAYLOADS_H_

#include "rapport/notes/v1/case.pb.h"
#include "rapport/notes/v1/events.pb.h"
#include "rapport/notes/v1/note.pb.h"
#include "rapport/notes/v1/release.pb.h"

// The state of each resource as its events tell it: without text.
namespace rapport::notes {

// `was_determined`: the case has had a determination, in force or not.
v1::CaseEvent PayloadOf(const v1::Case& state, bool was_determined);
v1::GoalEvent PayloadOf(const v1::Goal& goal);
v1::NoteEvent PayloadOf(const v1::Note& note);
v1::ConsentEvent PayloadOf(const v1::Consent& consent);
v1::GuardianEvent PayloadOf(const v1::Guardian& guardian);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_PAYLOADS_H_
