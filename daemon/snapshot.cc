#include "daemon/provider.h"
