import { Injectable } from '@nestjs/common';

/** The TCP port on which the gateway really listens. */
@Injectable()
export class GatewayAddress {
  /** 0 until it listens. */
  port = 0;
}
