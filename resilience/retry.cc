#include "resilience/retry.h"
