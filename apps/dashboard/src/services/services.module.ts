import { Global, Module } from '@nestjs/common';

import { BrokerLink } from './broker.link.js';
import { C0reLink } from './c0re.link.js';

/** The links to the services that own what the dashboard shows. */
@Global()
@Module({ providers: [BrokerLink, C0reLink], exports: [BrokerLink, C0reLink] })
export class ServicesModule {}
