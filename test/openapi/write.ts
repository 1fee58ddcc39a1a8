// `npm run openapi`: writes what is made from the schemas of the routes and the table of problems. Tests hold both files against it.
import { writeFileSync } from 'node:fs'
import { openApiDocument } from '../../src/routes/openapi/document.ts'
import { DOCUMENT_FILE, documentText, PAGE_FILE } from './files.ts'
import { httpPage } from './http-page.ts'

const document = openApiDocument()
writeFileSync(DOCUMENT_FILE, documentText(document))
writeFileSync(PAGE_FILE, httpPage(document))
