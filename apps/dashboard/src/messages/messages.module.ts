import { Module } from '@nestjs/common';

import { MessageSearch } from './message-search.service.js';
import { MessagesController } from './messages.controller.js';

@Module({ controllers: [MessagesController], providers: [MessageSearch] })
export class MessagesModule {}
