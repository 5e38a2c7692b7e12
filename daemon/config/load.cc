#include "modelgateway/v1/config.pb.h"
