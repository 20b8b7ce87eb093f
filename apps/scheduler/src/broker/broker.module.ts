import { Module } from '@nestjs/common';

import { BrokerClient } from './broker.client.js';

@Module({ providers: [BrokerClient], exports: [BrokerClient] })
export class BrokerModule {}
