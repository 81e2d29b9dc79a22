from .config_text import without_comments as without_comments
from .idioms import Idioms as Idioms, IdiomsInvalid as IdiomsInvalid, read_idioms as read_idioms
from .language import (
    CODE as CODE,
    Language as Language,
    SourceFile as SourceFile,
    language_of as language_of,
    script_of as script_of,
)
from .names import VARIABLE as VARIABLE, Names as Names, names_of as names_of, suspected as suspected
from .project import Project as Project
from .syntax import Node as Node
from .terraform import Block as Block, Unreadable as Unreadable, blocks_of as blocks_of
from .terraform_values import UNKNOWN as UNKNOWN
from .trees import leaves as leaves, line_of as line_of, parse as parse, text_of as text_of
from .values import Event as Event
