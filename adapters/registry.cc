#include "adapters/dialect.h"
