import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';

/** The least that a Nest service can be: the yardstick of the broker's memory. */
@Controller()
class HealthController {
  @Get('healthz')
  health(): { ok: true } {
    return { ok: true };
  }
}

@Module({ controllers: [HealthController] })
class MinimalModule {}

const app = await NestFactory.create<NestFastifyApplication>(MinimalModule, new FastifyAdapter(), {
  logger: false,
});
await app.listen(0, '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
process.send?.({ type: 'ready' });
