#include "telemetry/call_record.h"
