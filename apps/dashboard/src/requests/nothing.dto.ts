import { ApiSchema } from '@nestjs/swagger';

/** A request without content: `{}` or no body at all. */
@ApiSchema({ name: 'Nothing' })
export class NothingDto {}
